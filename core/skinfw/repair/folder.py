"""Repairing many results, each written with its provenance map, and a report of all."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from skinfw.data.photo import Photo
from skinfw.errors import DataError, counted, printable
from skinfw.inference.painted import Painted
from skinfw.repair.failures import recorded
from skinfw.repair.pairs import Pairing, PairOfFiles
from skinfw.repair.parsing import Parser
from skinfw.repair.repairing import STEPS, UNTOUCHED, Paints, Repaired, Step, repair
from skinfw.system.existing import reject_existing
from skinfw.system.json_file import replacing, write_json
from skinfw.system.leftovers import remove_leftovers
from skinfw.system.locks import locked_folder
from skinfw.system.paths_below import path_below

logger = logging.getLogger("skinfw")

PROVENANCE = "provenance"
"""Folder of the provenance maps."""

REPORT = "report.json"

LOCK_FILE = ".repair.lock"

_SHOWN = 10


@dataclass(frozen=True)
class RepairReport:
    """What was done to a set of results.

    Attributes:
        repaired: the report of each pair, by name; see `skinfw.repair.Repaired`.
        failed: why other pairs were not repaired, by name.
        unmatched_photos: photos without a result.
        unmatched_results: results without a photo.
        unfinished: the names of pairs that were not reached, because the work ended early.
    """

    repaired: dict[str, dict[str, Any]]
    failed: dict[str, str]
    unmatched_photos: list[str]
    unmatched_results: list[str]
    unfinished: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values, with the counts first."""
        counts = {
            "repaired": len(self.repaired),
            "failed": len(self.failed),
            "unmatched_photos": len(self.unmatched_photos),
            "unmatched_results": len(self.unmatched_results),
            "unfinished": len(self.unfinished),
        }
        return {"counts": counts, **vars(self)}


def repair_pairs(
    pairing: Pairing,
    output: Path,
    parser: Parser,
    *,
    inpainter: Paints | None = None,
    steps: Collection[Step] = STEPS,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> RepairReport:
    """Repair results and write ``NAME.png``, ``provenance/NAME.png`` and ``report.json`` into a folder.

    The images are of the results' size. A provenance map has the values 0 untouched, 1 restored, 2 painted
    and 3 color moved. Pairs that cannot be repaired are skipped and reported. The report is written even if
    the work is interrupted, and then names the pairs that were not reached.

    Args:
        pairing: the pairs.
        output: the folder to write to.
        parser: finds skin, garments and pose.
        inpainter: paints; needed for the step paint.
        steps: the steps to take.
        overwrite: replace existing files.
        progress: called with the number of finished pairs and the total.

    Raises:
        RunError: a file exists or cannot be written, or another process repairs into the folder.
        DataError: some pairs could not be repaired, and the others were written; or two files would have the
            same path.
    """
    with locked_folder(output, LOCK_FILE, "skinfw repair"):
        remove_leftovers(output, deep=True)
        targets = _targets(pairing, output, overwrite=overwrite)
        if unmatched := pairing.unmatched():
            logger.warning("%s", unmatched)
        names = [pair.name for pair in pairing.pairs]
        report = RepairReport({}, {}, list(pairing.photos), list(pairing.results), names)
        try:
            for number, pair in enumerate(pairing.pairs, 1):
                with recorded(report.failed, pair.name):
                    repaired = _repair(pair, parser, inpainter, steps)
                if pair.name not in report.failed:
                    _write(repaired, *targets[pair.name])
                    report.repaired[pair.name] = {
                        "person": pair.person.as_posix(),
                        "result": pair.result.as_posix(),
                        **repaired.report,
                    }
                elif len(report.failed) > _SHOWN:  # the final error names the first ones
                    logger.warning("skipped: %s: %s", printable(pair.name), report.failed[pair.name])
                report.unfinished.remove(pair.name)
                if progress is not None:
                    progress(number, len(pairing.pairs))
        finally:
            write_json(output / REPORT, report.to_json())
    if report.failed:
        raise DataError(_failures(report, output))
    return report


def _targets(pairing: Pairing, output: Path, *, overwrite: bool) -> dict[str, tuple[Path, Path]]:
    """Return the files to write for each pair: the image and the provenance map.

    Raises:
        RunError: one exists.
        DataError: two have the same path.
    """
    targets = {
        pair.name: (
            path_below(output, f"{pair.name}.png"),
            path_below(output, f"{PROVENANCE}/{pair.name}.png"),
        )
        for pair in pairing.pairs
    }
    paths = [path for both in targets.values() for path in both]
    repeated = [path for path, times in Counter(paths).items() if times > 1]
    if repeated:
        raise DataError(
            f"{repeated[0]}: would be both an image and a provenance map; rename the folder {PROVENANCE} of "
            "results"
        )
    reject_existing([*paths, output / REPORT], overwrite=overwrite)
    return targets


def _repair(pair: PairOfFiles, parser: Parser, inpainter: Paints | None, steps: Collection[Step]) -> Repaired:
    photo, result = Photo.read(pair.person), Photo.read(pair.result)
    found, pose = parser.of_person(photo)
    return repair(
        photo,
        result,
        parse_person=found,
        parse_result=parser.of_result(result),
        pose=pose,
        inpainter=inpainter,
        steps=steps,
    )


def _write(repaired: Repaired, image: Path, provenance: Path) -> None:
    """Write the repaired result, marked as partly generated, after its provenance map.

    So no image is without the map, even after an interruption.
    """
    with replacing(provenance) as temporary:
        Image.fromarray(repaired.provenance).save(temporary, format="PNG")
    Painted(repaired.image, repaired.provenance != UNTOUCHED).save(image)


def _failures(report: RepairReport, output: Path) -> str:
    total = len(report.repaired) + len(report.failed)
    lines = [f"  {name}: {why}" for name, why in list(report.failed.items())[:_SHOWN]]
    if len(report.failed) > _SHOWN:
        lines.append(f"  and {len(report.failed) - _SHOWN} more, in {output / REPORT}")
    others = "nothing was repaired" if not report.repaired else f"the others are in {output}"
    head = f"{len(report.failed)} of {counted(total, 'result')} could not be repaired; {others}"
    return "\n".join([head, *lines])
