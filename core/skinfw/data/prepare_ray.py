"""Preparing photos on a Ray cluster; needs the extra ``ray``.

Photos and output must be on a file system that all nodes share under the same path, and skinfw must be
installed on every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from skinfw.data.prepare_local import Workers
from skinfw.data.prepare_photo import Parts
from skinfw.data.prepare_report import Row
from skinfw.data.prepare_task import Task
from skinfw.errors import RunError, SkinfwError
from skinfw.ray_cluster import import_ray, join_cluster

_RETRIES = 2

_CHUNK = 16
"""Photos that a worker is given at a time."""


def rows_from_ray(parts: Parts, tasks: Sequence[Task], address: str | None) -> Iterator[Row]:
    """Yield what becomes of each photo, in order.

    Args:
        parts: what each worker builds its preparer from; ``workers`` of its configuration says how many there
            are at most, null: one for each CPU of the cluster.
        tasks: the photos.
        address: the cluster, see `skinfw.ray_cluster.join_cluster`.

    Raises:
        UserError: Ray is not installed.
        RunError: the cluster cannot be reached, or fails.
        SkinfwError: something is wrong that is wrong for every photo.
    """
    ray = import_ray()
    joined = join_cluster(address)
    try:
        yield from _rows(ray, parts, tasks)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SkinfwError):
            raise error.cause from None
        raise RunError(f"Ray: {error}") from error
    except ray.exceptions.RayError as error:
        raise RunError(f"Ray: {error}; finished samples stay, run the same command again") from error
    finally:
        if joined:
            ray.shutdown()


def _rows(ray: Any, parts: Parts, tasks: Sequence[Task]) -> Iterator[Row]:
    from ray.util import ActorPool

    cpus = int(ray.cluster_resources().get("CPU", 1))
    count = max(1, min(parts.config.workers or cpus, cpus, len(tasks)))
    # a worker whose node is lost starts again on another one
    options = {"num_cpus": 1, "max_restarts": -1, "max_task_retries": _RETRIES}
    actor = ray.remote(**options)(_NodeWorker)
    actors = [actor.remote(parts) for _ in range(count)]
    try:
        # fewer messages, and nobody waits long for the slowest of them
        size = max(1, min(_CHUNK, len(tasks) // count))
        chunks = [list(tasks[start : start + size]) for start in range(0, len(tasks), size)]
        for rows in ActorPool(actors).map(lambda worker, chunk: worker.rows.remote(chunk), chunks):
            yield from rows
    finally:
        for each in actors:
            ray.kill(each)


class _NodeWorker:
    """Prepares photos on a node of the cluster.

    The work is done in a process of its own, as on one machine: a photo that kills it is told in the same
    words.
    """

    def __init__(self, parts: Parts) -> None:
        self._workers = Workers(parts, 1)

    def rows(self, tasks: Sequence[Task]) -> list[Row]:
        """Return what becomes of some photos, in order."""
        return list(self._workers.rows(tasks))
