"""Ray: what is told when a task ends badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skinfw.ablation.plan import Plan
from skinfw.ablation.process import Job, Outcome
from skinfw.ablation.ray_engine import _RayRun, _run_on_node

NOT_INSTALLED = "Ray is not installed: pip install 'skinfw[ray]'"


class PretendedRay:
    """As much of Ray as a run at work uses."""

    def __init__(self, result: Any = None) -> None:
        self.result, self.ready = result, False
        self.cancelled: list[Any] = []

    def wait(self, references: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        return (references, []) if self.ready else ([], references)

    def get(self, reference: Any) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def cancel(self, reference: Any, force: bool) -> None:
        self.cancelled.append((reference, force))


def test_a_task_is_looked_at_cancelled_once_and_told() -> None:
    ray = PretendedRay(RuntimeError("the node is gone"))
    run = _RayRun(ray, "task")
    assert run.poll() is None
    ray.ready = True
    assert run.poll() == Outcome("failed", "Ray: the node is gone", 0.0, "")
    run.stop()
    run.kill()
    assert ray.cancelled == [("task", False)]
    assert run.poll() == Outcome("interrupted", "Ray: the node is gone", 0.0, "")
    ray.result = Outcome("done", "", 3.0, "node 1")
    assert run.poll() == ray.result


def test_a_cancelled_task_stops_its_process_and_waits(
    monkeypatch: pytest.MonkeyPatch, planned: Callable[..., Plan]
) -> None:
    pytest.importorskip("ray", reason=NOT_INSTALLED)
    calls: list[str] = []

    class Process:
        def __init__(self, job: Job, where: str) -> None:
            calls.append(where)

        def wait(self) -> Outcome:
            calls.append("wait")
            if calls.count("wait") == 1:
                raise KeyboardInterrupt
            return Outcome("interrupted", "", 1.0, "node 1")

        def stop(self) -> None:
            calls.append("stop")

    class Context:
        def get_node_id(self) -> str:
            return "1"

    import ray

    monkeypatch.setattr(ray, "get_runtime_context", Context)
    monkeypatch.setattr("skinfw.ablation.ray_engine.RunProcess", Process)
    run = planned().runs[0]
    outcome = _run_on_node(Job(run.label, run.spec.to_json(), run.folder, False, 1))
    assert outcome.ending == "interrupted"
    assert calls == ["node 1", "wait", "stop", "wait"]
