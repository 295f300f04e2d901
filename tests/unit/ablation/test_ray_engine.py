"""Ray: a cluster of two nodes on this machine, and what is told when a task ends badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skinfw.ablation.plan import Plan
from skinfw.ablation.process import Job, Outcome
from skinfw.ablation.ray_engine import RayEngine, _RayRun, _run_on_node
from skinfw.ablation.runner import run_missing

NOT_INSTALLED = "Ray is not installed: pip install 'skinfw[ray]'"


def test_both_nodes_of_a_cluster_make_runs(
    ray_cluster: str, planned: Callable[..., Plan], tiny_spec: Callable[..., Any]
) -> None:
    base = tiny_spec(losses=["l1"], baselines=[])
    del base["discriminator"]
    base["training"]["epochs"] = 1
    plan = planned(
        base=base, variants={"skin": {}, "too_large": {"training": {"batch_size": 1000}}}, seeds=[0]
    )
    engine = RayEngine(ray_cluster)
    try:
        outcomes = list(run_missing(plan.runs, engine, lambda line: None).values())
    finally:
        engine.close()
    endings = {outcome.ending: outcome for outcome in outcomes}
    assert set(endings) == {"done", "failed"}
    assert "too few for one step of 1000" in endings["failed"].reason
    # a task takes the one CPU of a node
    assert len({outcome.where for outcome in outcomes}) == 2
    assert all(outcome.where.startswith("node ") for outcome in outcomes)
    assert [run.state()[0] for run in plan.runs] == ["done", "missing"]


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
