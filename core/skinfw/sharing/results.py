"""What a run's ``metrics.json`` says about it, for its model card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skinfw.components.weights import file_sha256
from skinfw.errors import RunError
from skinfw.evaluation.results import Evaluation
from skinfw.licenses.ledger import Ledger
from skinfw.runs.folder import Run
from skinfw.system.json_file import read_json


@dataclass(frozen=True)
class SharedResults:
    """The results of the shared checkpoint on the test samples of its run.

    Attributes:
        record: the content of ``metrics.json``.
        evaluation: the metrics.
        ledger: the licenses of everything that the run used.
    """

    record: dict[str, Any]
    evaluation: Evaluation
    ledger: Ledger


def shared_results(run: Run) -> SharedResults:
    """Read the results of a run's best checkpoint.

    Raises:
        RunError: they are missing, damaged, without the licenses, or of another checkpoint.
    """
    path, checkpoint = run.metrics_path, run.checkpoint()
    again = f"measure it: skinfw evaluate {run.folder}"
    if not checkpoint.is_file():
        raise RunError(f"{checkpoint}: no such checkpoint; has the run finished an epoch?")
    if not path.is_file():
        raise RunError(f"{run.folder}: has no metrics.json; {again}")
    record = read_json(path, file_names=True)
    try:
        measured = record["checkpoint"]["sha256"]
        evaluation, ledger = Evaluation.from_json(record["test"]), Ledger.from_json(record["licenses"])
    except (LookupError, TypeError, ValueError) as error:
        raise RunError(f"{path}: does not contain the results of a run and its licenses; {again}") from error
    if measured != file_sha256(checkpoint):
        raise RunError(f"{path}: is about other weights than {checkpoint}; {again}")
    return SharedResults(record, evaluation, ledger)
