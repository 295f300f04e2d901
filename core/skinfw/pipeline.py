"""A run from Python, as on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from skinfw.components.strict_model import nearest
from skinfw.data.split import Split
from skinfw.errors import ArgumentError
from skinfw.evaluation.results import Evaluation
from skinfw.hooks.caller import HookCaller
from skinfw.inference.generate import generate_folder
from skinfw.interfaces import Dataset
from skinfw.runs.data_record import write_data
from skinfw.runs.folder import Run, create_run, locked_run
from skinfw.runs.split_record import make_split, read_split, write_split
from skinfw.specs.run_spec import RunSpec
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import AnySpec, Spec, load_spec, parse_spec
from skinfw.system.devices import cpu_threads
from skinfw.tasks.choice import make_source, make_training_module
from skinfw.tasks.evaluate_run import evaluate_run
from skinfw.tasks.inpainting.skin_check import require_skin
from skinfw.training.accelerator import make_accelerator
from skinfw.training.module import SampleSource
from skinfw.training.observers import RunRecorder
from skinfw.training.ranks import Ranks
from skinfw.training.trainer import Trainer

ARGUMENTS = ("spec", "output", "resume", "overwrite", "hooks")
"""Keywords of `Pipeline` that are not fields of a spec."""


class Pipeline:
    """Trains, evaluates and uses the networks that a spec describes, whatever its task.

    Args:
        spec: a spec, its JSON value, or the path of a spec file; None to pass all fields as keywords.
        output: the run folder; ``runs/<name>`` below the working directory when None.
        resume: resume the run in the folder.
        overwrite: replace the run in the folder.
        hooks: objects with hook functions (`skinfw.hooks`), called beside the installed ones.
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
        self._resume, self._overwrite, self._hooks = resume, overwrite, hooks

    @property
    def run(self) -> Run:
        """The run and its folder, which `fit` creates."""
        return Run(self.output, self.spec, "spec")

    def fit(self) -> Pipeline:
        """Train to the end, evaluate on the test samples and write the report.

        Raises:
            SkinfwError: an error in the data, the networks or the folder.
            KeyboardInterrupt: Ctrl-C was pressed; everything is saved.
        """
        with cpu_threads(self.spec.training.threads):
            self._fit()
        return self

    def _fit(self) -> None:
        accelerator = make_accelerator(self.spec.training)
        ranks = Ranks(accelerator)
        with ranks.together(), locked_run(self.run) if ranks.is_main else nullcontext(self.run) as run:
            self._fill(run, accelerator, ranks)
            run.check_held()

    def _fill(self, run: Run, accelerator: Accelerator, ranks: Ranks) -> None:
        dataset = make_source(self.spec)
        split = self._split(dataset)
        if isinstance(dataset, Dataset):
            require_skin(dataset, split.train)
        if ranks.is_main:
            hooks = HookCaller([RunRecorder(), *self._hooks])
            create_run(
                self.spec,
                self.output,
                resume=self._resume,
                overwrite=self._overwrite,
                hook_plugins=hooks.versions(),
            )
            write_split(self.run, split)
        else:
            hooks = HookCaller(discover=False)
        ranks.wait()
        try:
            module = make_training_module(run.spec, dataset, accelerator)
            trainer = Trainer(run, dataset, split, module, hooks, ranks)
            if self._resume:
                trainer.resume()
            if ranks.is_main:
                write_data(run, dataset)
            trainer.fit()
            if ranks.is_main:
                evaluation = evaluate_run(run, device=accelerator.device)
                hooks.call("evaluated", run=run, evaluation=evaluation, step=evaluation.step)
            ranks.wait()
        except BaseException as error:
            hooks.call("run_failed", run=run, error=error)
            raise
        hooks.call("run_ended", run=run)

    def _split(self, dataset: SampleSource) -> Split:
        """Return the split: the recorded one if training resumes, a new one otherwise."""
        goes_on = self._resume and self.run.checkpoint("last").is_file()
        recorded = read_split(self.output) if goes_on else None
        return make_split(dataset, self.spec.data) if recorded is None else recorded

    def evaluate(self) -> Evaluation:
        """Evaluate the best checkpoint on the test samples and write the report again."""
        return evaluate_run(self.run)

    def generate(
        self, samples: str | Path, output: str | Path, *, resume: bool = False, overwrite: bool = False
    ) -> list[Path]:
        """Inpaint sample folders with the best checkpoint.

        Args:
            samples: one sample folder, a folder of them, or a glob.
            output: folder for the inpainted PNG files.
            resume: keep existing images that this checkpoint inpainted from the same sample.
            overwrite: replace existing images.

        Returns:
            the images that were inpainted or kept.
        """
        return generate_folder(self.run, samples, output, resume=resume, overwrite=overwrite)


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
) -> Run:
    """Train, evaluate and report the run that a spec describes; see `Pipeline` for the arguments.

    Returns:
        the run, with its folder.
    """
    return Pipeline(spec, output=output, resume=resume, overwrite=overwrite, hooks=hooks).fit().run
