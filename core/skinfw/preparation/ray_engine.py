"""Preparing photos with Ray Data on a cluster; needs the extra ``ray``.

Photos and output must be on a file system that all nodes share under the same path, and skinfw must be
installed on every node.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from skinfw.errors import RunError, SkinfwError
from skinfw.preparation.local_engine import Workers
from skinfw.preparation.preparer import Parts
from skinfw.preparation.report import Row
from skinfw.preparation.task import Task
from skinfw.system.ray_cluster import import_ray, import_ray_data, join_cluster

_BLOCK = 8
"""Photos per batch for a worker: few messages, and little waiting for the slowest worker."""


def rows_from_ray(parts: Parts, tasks: Sequence[Task], address: str | None) -> Iterator[Row]:
    """Yield the result for each photo, in order, while later ones are in progress.

    Only tasks and rows are sent; the nodes read the photos and write the samples themselves.

    Args:
        parts: the arguments of each worker's preparer; ``num_workers`` of its configuration is the maximum
            number of workers, null: one per CPU of the cluster.
        tasks: the photos.
        address: the cluster, see `skinfw.system.ray_cluster.join_cluster`.

    Raises:
        UserError: Ray Data is not installed.
        RunError: the cluster cannot be reached, or fails.
        SkinfwError: an error that affects every photo.
    """
    ray, data = import_ray(), import_ray_data()
    joined = join_cluster(address)
    try:
        with _quiet(), closing(_outcomes(ray, data, parts, tasks)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, SkinfwError):
                    raise outcome
                yield outcome
    except ray.exceptions.RayError as error:
        raise RunError(f"Ray: {error}; finished samples stay, run the same command again") from error
    finally:
        if joined:
            ray.shutdown()


def _outcomes(
    ray: Any, data: Any, parts: Parts, tasks: Sequence[Task]
) -> Generator[Row | SkinfwError, None, None]:
    """Yield a row for each photo, or an error that affects all of them."""
    cpus = int(ray.cluster_resources().get("CPU", 1))
    count = max(1, min(parts.config.num_workers or cpus, cpus, len(tasks)))
    # at least one block per worker
    blocks = max(count, -(-len(tasks) // _BLOCK))
    context = data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = context.print_on_execution_start = False
    with data.DataContext.current(context):
        # as bytes: Arrow supports neither paths nor names that are not UTF-8
        packed = [{"task": pickle.dumps(task)} for task in tasks]
        dataset = data.from_items(packed, override_num_blocks=blocks).map(
            _NodeWorker, fn_constructor_args=(parts,), concurrency=count, num_cpus=1
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
    """Prepares photos on a node of the cluster.

    The work runs in a separate process, as on one machine, so that a photo that kills it produces the same
    message.
    """

    def __init__(self, parts: Parts) -> None:
        self._workers = Workers(parts, 1)

    def __call__(self, packed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the result for a photo, or an error that affects all of them.

        Errors are returned, not raised: Ray Data would wrap them and print its own traceback.
        """
        outcome: Row | SkinfwError
        try:
            (outcome,) = self._workers.rows([pickle.loads(packed["task"])])
        except SkinfwError as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}
