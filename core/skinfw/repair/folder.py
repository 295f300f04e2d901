"""Repairing many results, each written with its provenance map: in parallel, resumable, with a table."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from skinfw.errors import DataError, UserError
from skinfw.inference.image_table import ImageRow, Progress, with_known, write_table
from skinfw.repair.pair_task import PairRepairer, PairTask
from skinfw.repair.pairs import Pairing
from skinfw.repair.parsing import Parser
from skinfw.system.devices import processes
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.system.paths_below import path_below
from skinfw.system.workers import work_on

logger = logging.getLogger("skinfw")

PROVENANCE = "provenance"
"""Folder of the provenance maps."""

TABLE = "repaired.jsonl"
"""The table in the output folder, see `skinfw.inference.image_table`."""

LOCK_FILE = ".repair.lock"


def repair_pairs(
    repairer: PairRepairer,
    pairing: Pairing,
    *,
    overwrite: bool = False,
    resume: bool = False,
    num_workers: int | None = None,
    progress: Progress | None = None,
) -> list[ImageRow]:
    """Repair results and write ``NAME.png`` and ``provenance/NAME.png`` into a folder.

    The images are of the results' size. A provenance map has the values 0 untouched, 1 restored, 2 painted
    and 3 color moved. The table `TABLE` in the folder says for every result what was done, or why not.

    Args:
        repairer: the model, the output folder and the settings.
        pairing: the pairs.
        overwrite: replace existing files.
        resume: keep existing files made from the same pair by the same model, and repair the others.
        num_workers: processes; None: one per core, or one if there is an accelerator for the model, the
            segmenter or the pose encoder.
        progress: called with the number of finished pairs and the total.

    Returns:
        one row per result, and per photo without a result; sorted by path.

    Raises:
        RunError: files are in the way or cannot be written, or another process repairs into the folder.
        DataError: two files would have the same path.
        UserError: a photo, a result, a label map or a pose would be replaced.
    """
    work, output = repairer.work, repairer.work.output
    with locked_folder(output, LOCK_FILE, "skinfw repair"):
        remove_leftovers(output, deep=True)
        table = path_below(output, TABLE)
        new = _tasks(pairing, output)
        _reject_inputs(new, repairer.parser)
        tasks = with_known(new, table, overwrite=overwrite, resume=resume)
        if unmatched := pairing.unmatched():
            logger.warning("%s", unmatched)
        others = [ImageRow(photo, "", "not used", "a photo without a result") for photo in pairing.photos]
        others += [ImageRow(result, "", "not used", "a result without a photo") for result in pairing.results]
        made = work_on(work, tasks, repairer, num_workers or _processes(repairer))
        return write_table(table, tasks, others, made, progress)


def _processes(repairer: PairRepairer) -> int | None:
    """Return the number of processes: 1 if an accelerator may hold a network; None: one per core."""
    if repairer.parser.computes:
        return processes()  # segmenters and pose encoders choose their device themselves
    return None if repairer.work.model is None else processes(repairer.work.device)


def _tasks(pairing: Pairing, output: Path) -> list[PairTask]:
    """Return what to repair, and the files to write.

    Raises:
        DataError: two of them have the same path.
    """
    tasks = [
        PairTask(
            image=f"{pair.name}{pair.result.suffix}",
            target=path_below(output, f"{pair.name}.png"),
            name=f"{pair.name}.png",
            map=path_below(output, f"{PROVENANCE}/{pair.name}.png"),
            pair=pair,
        )
        for pair in pairing.pairs
    ]
    paths = [path for task in tasks for path in (task.target, task.map)]
    repeated = [path for path, times in Counter(paths).items() if times > 1]
    if repeated:
        raise DataError(
            f"{repeated[0]}: would be both an image and a provenance map; rename the folder {PROVENANCE} of "
            "results"
        )
    return tasks


def _reject_inputs(tasks: Sequence[PairTask], parser: Parser) -> None:
    """Raise an error if a file to write is one that the pairs are read from.

    Raises:
        UserError: it names the file.
    """
    inputs: set[Path] = set()
    for pair in (task.pair for task in tasks):
        inputs.update(each.resolve() for each in (pair.person, pair.result))
        with suppress(DataError):  # without its label map, the pair fails later
            inputs.update(each.resolve() for each in parser.files(pair))
    for path in (path for task in tasks for path in (task.target, task.map) if path is not None):
        if path.resolve() in inputs:
            raise UserError(
                f"{path}: would replace a photo, a result, a label map or a pose that you gave; choose "
                "another output folder"
            )
