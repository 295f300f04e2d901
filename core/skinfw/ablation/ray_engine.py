"""Runs on a Ray cluster; needs the extra ``ray``.

The ablation's output folder and all paths in the specs must be on a file system that all nodes share under
the same path, and skinfw must be installed on every node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skinfw.ablation.engine import Engine, Running
from skinfw.ablation.process import Job, Outcome, RunProcess
from skinfw.system.ray_cluster import import_ray, join_cluster


class RayEngine(Engine):
    """Sends each run to the cluster as a task, which starts a process on its node.

    Args:
        address: the cluster, as for ``ray.init``; None for the one that Ray finds, or a new one on this
            machine.
        threads: CPUs per task, and threads of its run if the spec does not set them; None: 1.
        gpus: GPUs per task.

    Raises:
        UserError: Ray is not installed.
        RunError: the cluster cannot be reached.
    """

    def __init__(self, address: str | None = None, threads: int | None = None, gpus: float = 0.0) -> None:
        self.slots = None
        self.threads = threads or 1
        self._ray = import_ray()
        self._connected = join_cluster(address)
        # a crashed run is reported, not retried; running the ablation again resumes it
        options = {"num_cpus": self.threads, "num_gpus": gpus, "max_retries": 0}
        self._task = self._ray.remote(**options)(_run_on_node)

    def start(self, job: Job) -> Running:
        """Send a run to the cluster."""
        return _RayRun(self._ray, self._task.options(name=f"skinfw {job.label}").remote(job))

    def close(self) -> None:
        """Leave the cluster if this engine joined it."""
        if self._connected:
            self._ray.shutdown()


def _run_on_node(job: Job) -> Outcome:
    """Run a job on the node that Ray chose."""
    ray = import_ray()
    process = RunProcess(job, f"node {ray.get_runtime_context().get_node_id()}")
    try:
        return process.wait()
    except BaseException:  # cancelled: Ray raises KeyboardInterrupt here
        process.stop()
        return process.wait()


@dataclass
class _RayRun:
    """A running task."""

    ray: Any
    reference: Any
    stopped: bool = False

    def poll(self) -> Outcome | None:
        """Return its outcome, or None while it runs."""
        ready, _ = self.ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            outcome: Outcome = self.ray.get(self.reference)
        except Exception as error:  # the node is gone, the worker was killed, the task was cancelled
            return Outcome("interrupted" if self.stopped else "failed", f"Ray: {error}", 0.0, "")
        return outcome

    def stop(self) -> None:
        """Cancel the task, which stops its process."""
        if not self.stopped:
            self.stopped = True
            self.ray.cancel(self.reference, force=False)

    def kill(self) -> None:
        """Cancel the task."""
        self.stop()
