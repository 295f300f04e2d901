"""A hook that writes the metrics of every evaluation to ``metrics.csv`` in the run folder."""

from __future__ import annotations

from skinfw import hookimpl
from skinfw.evaluation.results import Evaluation
from skinfw.runs.folder import Run

HEAD = "split,step,metric,value\n"


@hookimpl
def run_started(run: Run, step: int) -> None:
    """Start the file; a resumed run continues its own."""
    if step == 0:
        (run.folder / "metrics.csv").write_text(HEAD, encoding="utf-8")


@hookimpl
def evaluated(run: Run, evaluation: Evaluation, step: int) -> None:
    """Add a line per metric."""
    with (run.folder / "metrics.csv").open("a", encoding="utf-8") as file:
        for metric, value in evaluation.values["trained"].items():
            file.write(f"{evaluation.split},{step},{metric},{value}\n")
