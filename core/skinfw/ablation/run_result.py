"""The result of one run of an ablation, read from its folder. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skinfw.ablation.plan import PlannedRun
from skinfw.ablation.process import read_outcome
from skinfw.components.registry import TRAINED
from skinfw.errors import SkinfwError
from skinfw.evaluation.comparable import EvaluatedRun
from skinfw.evaluation.evaluated_run import read_evaluated_run
from skinfw.evaluation.results import Cost


@dataclass(frozen=True)
class RunResult:
    """One run of an ablation.

    Attributes:
        planned: variant, seed, spec, folder.
        status: ``done``, ``failed``, or the state of its folder (`skinfw.ablation.plan.State`).
        reason: why it is not done, if known.
        seconds: duration of its last process, if known.
        where: the machine or node of its last process.
        evaluated: the results; None unless it is done.
    """

    planned: PlannedRun
    status: str
    reason: str
    seconds: float | None
    where: str
    evaluated: EvaluatedRun | None

    @property
    def cost(self) -> Cost:
        """What its network took."""
        return Cost(None, None) if self.evaluated is None else self.evaluated.evaluation.cost(TRAINED)

    def images(self, key: str) -> Mapping[str, float | None]:
        """Return the value of each test image by name; empty for metrics over a set."""
        return {} if self.evaluated is None else self.evaluated.evaluation.image_values(TRAINED, key)


def read_run(planned: PlannedRun) -> RunResult:
    """Read what exists of a run; a missing or unreadable one has a status and a reason."""
    state, reason = planned.state()
    status, evaluated = str(state), None
    outcome = read_outcome(planned.folder)
    if state == "done":
        try:
            evaluated = read_evaluated_run(planned.folder, planned.label)
        except SkinfwError as error:
            status, reason = "failed", str(error)
    elif state in ("half done", "missing") and outcome is not None and outcome.ending == "failed":
        status, reason = "failed", outcome.reason
    seconds, where = (outcome.seconds, outcome.where) if outcome is not None else (None, "")
    return RunResult(planned, status, reason, seconds, where, evaluated)
