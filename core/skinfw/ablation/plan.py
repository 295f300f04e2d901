"""The runs of an ablation: every variant with every seed, checked, and its folder. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from skinfw.ablation.file import AblationSize, AblationSpec, parse_ablation, read_base
from skinfw.ablation.merge import merge_patch
from skinfw.components.strict_model import nearest
from skinfw.errors import RunError, SpecError, UserError
from skinfw.runs.create import never_began, recorded_commits
from skinfw.runs.folder import Run, open_run
from skinfw.specs.differences import NO_RESULTS, spec_differences
from skinfw.specs.overrides import apply_overrides
from skinfw.specs.spec import Spec, parse_spec
from skinfw.system.json_file import read_json

State = Literal["done", "half done", "missing", "changed", "in the way"]
"""The state of a run's folder: a measured run, a resumable one, nothing, another spec's run, other files."""


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """A variant with a seed.

    Attributes:
        variant: the variant's name.
        seed: the seed.
        spec: the filled spec.
        folder: the run folder; further files of the run are next to it.
    """

    variant: str
    seed: int
    spec: Spec
    folder: Path

    @property
    def label(self) -> str:
        """The run's name."""
        return f"{self.variant} seed {self.seed}"

    def beside(self, ending: str) -> Path:
        """Return the path of a file next to the folder: ``spec.json``, ``outcome.json``, ``log``."""
        return self.folder.with_name(f"{self.folder.name}.{ending}")

    def state(self) -> tuple[State, str]:
        """Return the state of the folder and, for ``changed`` and ``in the way``, the reason."""
        if not self.folder.is_dir():
            return ("in the way", "is a file") if self.folder.exists() else ("missing", "")
        if not (self.folder / "spec.json").is_file():
            empty = all(path.name.startswith(".") for path in self.folder.iterdir())
            return ("missing", "") if empty else ("in the way", "holds files other than a run")
        try:
            found = open_run(self.folder)
            commits = recorded_commits(found)
            changed = spec_differences(found.spec, self.spec, free=NO_RESULTS, commits=commits)
        except (SpecError, RunError) as error:
            changed = [f"its spec is no longer valid ({error})"]
        run = Run(self.folder, self.spec)
        if never_began(run):
            return "missing", ""
        if changed:
            return "changed", f"{', '.join(changed)} changed"
        # the report is written last
        done = run.metrics_path.is_file() and run.report_path.is_file()
        return ("done" if done else "half done"), ""


@dataclass(frozen=True)
class Plan:
    """All runs of an ablation at one size.

    Attributes:
        ablation: the ablation file.
        source: the ablation file's name in messages.
        size: the chosen size, or None for the base as it is.
        output: the output folder.
        runs: the runs in order, variant by variant.
    """

    ablation: AblationSpec
    source: str
    size: str | None
    output: Path
    runs: Sequence[PlannedRun]

    @property
    def commits(self) -> dict[str, str]:
        """The names with commits of models on a hub that its runs began with, by the names in the specs."""
        began = [run for run in self.runs if run.state()[0] in ("done", "half done")]
        return {
            name: used
            for run in reversed(began)  # the first one counts
            for name, used in recorded_commits(Run(run.folder, run.spec)).items()
        }

    @property
    def variants(self) -> list[str]:
        """The variants at this size, in order."""
        return list(dict.fromkeys(run.variant for run in self.runs))

    @property
    def conclusive(self) -> bool:
        """Whether results at this size may answer the question."""
        return self.size is None or self.ablation.sizes[self.size].conclusive

    @property
    def seeds(self) -> list[int]:
        """The seeds at this size."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    @property
    def reference(self) -> str:
        """The reference variant."""
        wanted = self.ablation.compare_to
        return wanted if wanted in self.variants else self.variants[0]

    def of(self, variant: str) -> list[PlannedRun]:
        """Return the runs of a variant."""
        return [run for run in self.runs if run.variant == variant]

    def chosen(self, only: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[PlannedRun]:
        """Return the runs of some variants and seeds; an empty list means all.

        Raises:
            UserError: the ablation does not have the variant or seed.
        """
        for name in only:
            if name not in self.variants:
                known = ", ".join(self.variants)
                raise UserError(
                    f"{self.source}: no variant {name!r}{nearest(name, self.variants)} (there are: {known})"
                )
        for seed in seeds:
            if seed not in self.seeds:
                raise UserError(f"{self.source}: no seed {seed}; there are {self.seeds}")
        return [
            run
            for run in self.runs
            if run.variant in (only or self.variants) and run.seed in (seeds or self.seeds)
        ]


def make_plan(
    file: str | Path | Mapping[str, Any],
    *,
    size: str | None = None,
    output: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Plan:
    """Read an ablation and check every variant.

    Args:
        file: an ablation file, or its JSON value.
        size: the size, by name; None for the file's default.
        output: output folder; None for ``runs/<name>`` or ``runs/<name>-<size>``.
        overrides: values of the base by dotted path, set after the size's patch and before the variants'.

    Raises:
        SpecError: the file or a variant has errors; the message lists those of all variants.
    """
    if isinstance(file, Mapping):
        value, source, folder = dict(file), "ablation", Path.cwd()
    else:
        value, source, folder = read_json(Path(file)), str(file), Path(file).resolve().parent
    ablation = parse_ablation(value, source)
    chosen = size if size is not None else ablation.size
    if chosen is not None and chosen not in ablation.sizes:
        known = list(ablation.sizes)
        choices = f"; there are: {', '.join(known)}" if known else "; it has none"
        raise UserError(f"{source}: no size {chosen!r}{nearest(chosen, known)}{choices}")
    named = ablation.name if chosen is None else f"{ablation.name}-{chosen}"
    place = Path(output) if output is not None else Path("runs", named)
    runs = _runs(ablation, chosen, folder, place, source, overrides or {})
    return Plan(ablation, source, chosen, place, runs)


def _reject_own_fields(
    ablation: AblationSpec, scale: AblationSize | None, overrides: Mapping[str, Any], source: str
) -> None:
    """Reject fields that the ablation sets itself: each run's seed and name."""
    patches = {f"$.variants.{name}": patch for name, patch in ablation.variants.items()}
    patches |= {"the size's patch": scale.patch} if scale is not None else {}
    patches |= {"--set": {path.split(".")[0]: value for path, value in overrides.items()}}
    errors = [
        f"{where}: sets {field}, which the ablation sets for each run; use seeds and the variants' names"
        for where, patch in patches.items()
        for field in ("seed", "name")
        if field in patch
    ]
    if errors:
        raise SpecError(source, errors)


def _runs(
    ablation: AblationSpec,
    size: str | None,
    folder: Path,
    output: Path,
    source: str,
    overrides: Mapping[str, Any],
) -> list[PlannedRun]:
    base, base_folder = read_base(ablation, folder)
    scale = None if size is None else ablation.sizes[size]
    base = apply_overrides(base if scale is None else merge_patch(base, scale.patch), overrides, source)
    names = list(ablation.variants) if scale is None or scale.variants is None else scale.variants
    seeds = ablation.seeds if scale is None or scale.seeds is None else scale.seeds
    _reject_own_fields(ablation, scale, overrides, source)
    runs: list[PlannedRun] = []
    errors: dict[str, list[str]] = {}
    for name in (each for each in ablation.variants if each in names):
        value = merge_patch(base, ablation.variants[name])
        try:
            for seed in seeds:
                own = {**value, "name": f"{ablation.name}-{name}", "seed": seed}
                spec = parse_spec(own, source=name, folder=base_folder)
                if not isinstance(spec, Spec):
                    raise SpecError(
                        name, ['$.task: "segmentation" cannot be ablated; run each spec with skinfw run']
                    )
                runs.append(PlannedRun(name, seed, spec, output / name / f"seed_{seed}"))
        except SpecError as error:
            for line in error.errors:
                errors.setdefault(line, []).append(name)
    if errors:
        everyone = len(names)
        raise SpecError(
            source,
            [
                f"{'every variant' if len(who) == everyone > 1 else 'variant ' + ', '.join(who)}: {line}"
                for line, who in errors.items()
            ],
        )
    return runs
