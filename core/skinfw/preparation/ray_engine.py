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
"""Photos that a worker is given at a time: few messages, and nobody waits long for the slowest worker."""


def rows_from_ray(parts: Parts, tasks: Sequence[Task], address: str | None) -> Iterator[Row]:
    """Yield what becomes of each photo, in order, while later ones are in work.

    Only tasks and rows travel; the nodes read the photos and write the samples themselves.

    Args:
        parts: what each worker builds its preparer from; ``num_workers`` of its configuration says how many
            there
            are at most, null: one for each CPU of the cluster.
        tasks: the photos.
        address: the cluster, see `skinfw.system.ray_cluster.join_cluster`.

    Raises:
        UserError: Ray Data is not installed.
        RunError: the cluster cannot be reached, or fails.
        SkinfwError: something is wrong that is wrong for every photo.
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
    """Yield a row for each photo, or what is wrong for all of them."""
    cpus = int(ray.cluster_resources().get("CPU", 1))
    count = max(1, min(parts.config.num_workers or cpus, cpus, len(tasks)))
    # at least a block for each worker
    blocks = max(count, -(-len(tasks) // _BLOCK))
    context = data.DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = context.print_on_execution_start = False
    with data.DataContext.current(context):
        # as bytes: Arrow knows neither paths nor names that are not UTF-8
        packed = [{"task": pickle.dumps(task)} for task in tasks]
        dataset = data.from_items(packed, override_num_blocks=blocks).map(
            _NodeWorker, fn_constructor_args=(parts,), concurrency=count, num_cpus=1
        )
    # closing this ends the workers
    for row in dataset.iter_rows():
        yield pickle.loads(row["outcome"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Ray Data's own log: whoever catches an error reports it once."""
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


class _NodeWorker:
    """Prepares photos on a node of the cluster.

    The work is done in a process of its own, as on one machine, so that a photo that kills it gives the same
    message.
    """

    def __init__(self, parts: Parts) -> None:
        self._workers = Workers(parts, 1)

    def __call__(self, packed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return what becomes of a photo, or what is wrong for all of them.

        An error is returned, not raised: Ray Data would wrap it and print its own traceback.
        """
        outcome: Row | SkinfwError
        try:
            (outcome,) = self._workers.rows([pickle.loads(packed["task"])])
        except SkinfwError as error:
            outcome = error
        return {"outcome": pickle.dumps(outcome)}
