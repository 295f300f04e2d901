"""A run from Python, as on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from skinfw.components.reference import ComponentLike
from skinfw.components.strict_model import nearest
from skinfw.components.trust import named_outside, reject_foreign, reject_unset
from skinfw.errors import ArgumentError
from skinfw.evaluation.results import Evaluation
from skinfw.hooks.caller import hook_distributions
from skinfw.inference.generate import generate_folder
from skinfw.models.hub import reject_downloaded
from skinfw.runs.folder import Run, open_run, started_here
from skinfw.runs.ledger import require_permitted
from skinfw.specs.overrides import apply_overrides
from skinfw.specs.run_spec import RunSpec
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec, Spec, load_spec, parse_spec
from skinfw.system.bar import progress_bar
from skinfw.tasks.evaluate_run import evaluate_on
from skinfw.tasks.measured import MeasuredSplit
from skinfw.tasks.other_data import GivenData
from skinfw.tasks.train_run import train_run

ARGUMENTS = ("spec", "output", "resume", "overwrite", "hooks", "progress")
"""Keywords of `Pipeline` that are not fields of a spec."""


class Pipeline:
    """Trains, evaluates and uses the networks that a spec describes, whatever its task.

    Args:
        spec: a spec, its JSON value, or the path of a spec file; None to pass all fields as keywords.
        output: the run folder; ``runs/<name>`` below the working directory when None.
        resume: resume the run in the folder.
        overwrite: replace the run in the folder.
        hooks: objects with hook functions (`skinfw.hooks`), called beside the installed ones.
        progress: show the same bars as the command line, here and in the methods.
        **fields: fields of a spec; they replace those of ``spec``.

    Raises:
        ArgumentError: a keyword is neither an argument nor a field of a spec.
        SpecError: the spec is invalid.

    Example:
        >>> pipeline = Pipeline(
        ...     name="doc", data={"size": [32, 32]}, generator="pix2pix", losses=["l1"], training={"steps": 1}
        ... )
        >>> pipeline.spec.generator.name
        'pix2pix'
    """

    def __init__(
        self,
        spec: AnySpec | Mapping[str, Any] | str | Path | None = None,
        *,
        output: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        hooks: Sequence[object] = (),
        progress: bool = False,
        **fields: Any,
    ) -> None:
        _reject_unknown(fields)
        if isinstance(spec, str | Path):
            spec = load_spec(spec, fields)
        elif not isinstance(spec, RunSpec) or fields:
            given = spec.to_json() if isinstance(spec, RunSpec) else spec or {}
            spec = parse_spec({**given, **fields}, folder=Path.cwd())
        self.spec = spec
        self.output = Path(output) if output is not None else Path("runs", spec.name)
        self.progress = progress
        self._resume, self._overwrite, self._hooks = resume, overwrite, hooks
        self._trust: Literal["own", "spec", "all"] = "spec"

    @classmethod
    def from_run(
        cls,
        folder: str | Path,
        *,
        overrides: Mapping[str, Any] | None = None,
        trust: bool = False,
        hooks: Sequence[object] = (),
        progress: bool = False,
    ) -> Pipeline:
        """Open a finished or interrupted run, to evaluate it, to use it, or to continue it with `fit`.

        Args:
            folder: the run folder, or a model on the hub like ``hub:ORG/NAME@COMMIT``, which `fit` rejects.
            overrides: values of its spec by dotted path, for example ``{"training.epochs": 40}`` to train
                longer.
            trust: allow the programs, paths and addresses in its spec, even if somebody else trained it.
            hooks: as for the class.
            progress: as for the class.

        Raises:
            RunError: the folder holds no run.
            SpecError: its spec does not match the installed components, or an override is invalid.

        Example:
            >>> pipeline = Pipeline.from_run("runs/quickstart")  # doctest: +SKIP
            >>> print(pipeline.evaluate(data="photos/street"))  # doctest: +SKIP
        """
        run = open_run(folder, trust=trust)
        spec = run.spec
        if overrides:
            source = str(run.spec_path)
            value = apply_overrides(spec.to_json(), overrides, source)
            spec = parse_spec(value, source=source, stored=True)
        pipeline = cls(spec, output=run.folder, resume=True, hooks=hooks, progress=progress)
        pipeline._trust = run.trust
        return pipeline

    @property
    def run(self) -> Run:
        """The run and its folder, which `fit` creates."""
        return Run(self.output, self.spec, self._trust)

    def fit(self) -> Pipeline:
        """Train to the end, evaluate on the test samples and write the report.

        Raises:
            SkinfwError: an error in the data, the networks or the folder.
            RunError: the run is a model from a hub.
            SpecError: the spec asks for commercial use, and a license does not permit it for certain.
            TrustError: somebody else started the run, and its spec names programs, paths or addresses.
            KeyboardInterrupt: Ctrl-C was pressed; everything is saved.
        """
        reject_downloaded(self.output, "name it in training.initial_weights of a new run")
        if self._trust == "own" and not started_here(self.run):
            reject_foreign(named_outside(self.spec, training=True), str(self.run.spec_path))
        reject_unset(self.spec, training=True)
        require_permitted(self.spec, self.spec.name, hook_distributions())
        self.spec = train_run(
            self.run,
            resume=self._resume,
            overwrite=self._overwrite,
            hooks=self._hooks,
            progress=self.progress,
        ).spec
        return self

    def evaluate(
        self,
        data: GivenData | None = None,
        *,
        split: MeasuredSplit | None = None,
        output: str | Path | None = None,
        overwrite: bool = False,
        baselines: Sequence[ComponentLike] = (),
        checkpoint: Literal["best", "last"] = "best",
        progress: bool | None = None,
    ) -> Evaluation:
        """Evaluate a checkpoint on the test samples and write the report again, or evaluate it on other data.

        Args:
            data: a folder of samples or photos, a JSON file, or a data set; None: the run's own data. See
                `skinfw.tasks.evaluate_run.evaluate_on`.
            split: ``test`` or ``all`` samples; None: all, and of the run's own data the test samples.
            output: folder for the results; None for the run folder, or ``evaluations/<name>`` in it.
            overwrite: replace results in that folder.
            baselines: generators with nothing to train, measured beside the baselines of the spec.
            checkpoint: the best or the last checkpoint.
            progress: show a bar; None: as the pipeline does.

        Returns:
            the results; ``print`` shows them as the table of ``skinfw evaluate``, as does a notebook.
        """
        with progress_bar("evaluate", show=self._shows(progress)) as bar:
            return evaluate_on(
                self.run,
                data,
                which=checkpoint,
                split=split,
                output=output,
                overwrite=overwrite,
                baselines=baselines,
                progress=bar,
            ).evaluation

    def generate(
        self,
        samples: str | Path,
        output: str | Path,
        *,
        resume: bool = False,
        overwrite: bool = False,
        progress: bool | None = None,
    ) -> list[Path]:
        """Inpaint sample folders with the best checkpoint.

        Args:
            samples: one sample folder, a folder of them, or a glob.
            output: folder for the inpainted PNG files.
            resume: keep existing images that this checkpoint inpainted from the same sample.
            overwrite: replace existing images.
            progress: show a bar; None: as the pipeline does.

        Returns:
            the images that were inpainted or kept.
        """
        with progress_bar("generate", show=self._shows(progress)) as bar:
            return generate_folder(
                self.run, samples, output, resume=resume, overwrite=overwrite, progress=bar
            )

    def _shows(self, progress: bool | None) -> bool:
        return self.progress if progress is None else progress


def _reject_unknown(fields: Mapping[str, Any]) -> None:
    known = {
        field.alias or name
        for model in (Spec, SegmentationSpec)
        for name, field in model.model_fields.items()
    }
    for name in fields:
        if name not in known:
            hint = nearest(name, [*ARGUMENTS, *sorted(known)])
            raise ArgumentError(f"Pipeline: {name!r} is neither an argument nor a field of a spec{hint}")


def run(
    spec: AnySpec | Mapping[str, Any] | str | Path,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    hooks: Sequence[object] = (),
    progress: bool = False,
) -> Run:
    """Train, evaluate and report the run that a spec describes; see `Pipeline` for the arguments.

    Returns:
        the run, with its folder.
    """
    pipeline = Pipeline(
        spec, output=output, resume=resume, overwrite=overwrite, hooks=hooks, progress=progress
    )
    return pipeline.fit().run
