"""Working on photos with Ray Data on a cluster; needs the extra ``ray``.

Photos and output must be on a file system that all nodes share under the same path, and skinfw must be
installed on every node.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from skinfw.errors import RunError, SkinfwError
from skinfw.system.ray_cluster import import_ray, import_ray_data, join_cluster
from skinfw.system.workers import Task, Work, Workers

RowT = TypeVar("RowT")

_BLOCK = 8
"""Photos per batch for a worker: few messages, and little waiting for the slowest worker."""


def rows_from_ray(
    work: Work[RowT], tasks: Sequence[Task[RowT]], num_workers: int | None, address: str | None
) -> Iterator[RowT]:
    """Yield the result for each photo, in order, while later ones are in progress.

    Only tasks and rows are sent; the nodes read the photos and write the results themselves.

    Args:
        work: what each worker does.
        tasks: the photos.
        num_workers: maximum number of workers; None: one per CPU of the cluster.
        address: the cluster, see `skinfw.system.ray_cluster.join_cluster`.

    Raises:
        UserError: Ray Data is not installed.
        RunError: the cluster cannot be reached, or fails.
        SkinfwError: an error that affects every photo.
    """
    ray, data = import_ray(), import_ray_data()
    joined = join_cluster(address)
    try:
        with _quiet(), closing(_outcomes(ray, data, work, tasks, num_workers)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, SkinfwError):
                    raise outcome
                yield outcome
    except ray.exceptions.RayError as error:
        raise RunError(f"Ray: {error}; finished photos stay; go on as after an interruption") from error
    finally:
        if joined:
            ray.shutdown()


def _outcomes(
    ray: Any, data: Any, work: Work[RowT], tasks: Sequence[Task[RowT]], num_workers: int | None
) -> Generator[RowT | SkinfwError, None, None]:
    """Yield a row for each photo, or an error that affects all of them."""
    cpus = int(ray.cluster_resources().get("CPU", 1))
    count = max(1, min(num_workers or cpus, cpus, len(tasks)))
    # at least one block per worker
    blocks = max(count, -(-len(tasks) // _BLOCK))
    context = data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = context.print_on_execution_start = False
    with data.DataContext.current(context):
        # as bytes: Arrow supports neither paths nor names that are not UTF-8
        packed = [{"task": pickle.dumps(task)} for task in tasks]
        dataset = data.from_items(packed, override_num_blocks=blocks).map(
            _NodeWorker, fn_constructor_args=(work,), concurrency=count, num_cpus=1
        )
    # closing this ends the workers
    for row in dataset.iter_rows():
        yield pickle.loads(row["outcome"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Ray Data's log: errors are reported once where they are caught."""
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


class _NodeWorker:
    """Works on photos on a node of the cluster.

    The work runs in a separate process, as on one machine, so that a photo that kills it produces the same
    message.
    """

    def __init__(self, work: Work[Any]) -> None:
        self._workers: Workers[Any] = Workers(work, 1)

    def __call__(self, packed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the result for a photo, or an error that affects all of them.

        Errors are returned, not raised: Ray Data would wrap them and print its own traceback.
        """
        outcome: Any
        try:
            (outcome,) = self._workers.rows([pickle.loads(packed["task"])])
        except SkinfwError as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}
