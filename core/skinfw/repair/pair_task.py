"""Repairing one pair of many: from two files to an image and its provenance map, or to the reason why not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from skinfw.components.reference import use_default
from skinfw.components.weights import file_sha256
from skinfw.data.photo import Photo
from skinfw.inference.image_table import ImageRow, ImageTask
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.painted import Painted
from skinfw.models.named import model_file
from skinfw.preparation.record import content_hash, hash_json
from skinfw.repair.failures import recorded
from skinfw.repair.pairs import PairOfFiles
from skinfw.repair.parsing import Parser, ParserReference
from skinfw.repair.repairing import STEPS, UNTOUCHED, Repaired, Step, repair
from skinfw.system.json_file import replacing

REVISION = 4
"""Increased when the same pair and model give other pixels, so that pairs are repaired again."""


@dataclass(frozen=True)
class RepairWork:
    """The picklable arguments of a `PairRepairer`, for other processes.

    Attributes:
        folder: base of relative paths: the folder where the command was started.
        output: folder of the repaired results.
        parser: finds skin, garments and poses.
        steps: the steps to take.
        model: a run folder, a checkpoint or an exported file; needed for the step paint.
        checkpoint: the best or the last checkpoint of a run.
        device: where the network runs; None for that of its spec.
        trust: as for `skinfw.inference.inpainter.Inpainter.load`.
    """

    folder: Path
    output: Path
    parser: ParserReference
    steps: Collection[Step] = STEPS
    model: Path | None = None
    checkpoint: Literal["best", "last"] = "best"
    device: Literal["auto", "cpu"] | None = None
    trust: bool = False

    def build(self) -> PairRepairer:
        """Load the components; see `skinfw.inference.inpainter.Inpainter.load` for the errors."""
        return PairRepairer(self, self.parser.build(), self._load())

    def lost(self, task: Any) -> ImageRow:
        """Return the row of a pair whose process ended. See `skinfw.system.workers.Work.lost`."""
        why = f"{task.image}: the process that repaired it ended unexpectedly (out of memory?)"
        return ImageRow(task.image, "", "failed", why)

    def _load(self) -> Inpainter | None:
        if self.model is None:
            return None
        # it is given label maps and poses; its own pose encoder draws them as in training
        return Inpainter.load(
            self.model,
            checkpoint=self.checkpoint,
            device=self.device,
            segmenter=self.parser.segmenter or use_default("segmenter"),
            trust=self.trust,
        )


@dataclass(frozen=True, kw_only=True)
class PairTask(ImageTask):
    """One pair to repair. Its map is the file for the provenance map.

    Attributes:
        pair: the files.
    """

    pair: PairOfFiles

    def run(self, repairer: PairRepairer) -> ImageRow:
        """Repair the pair."""
        return repairer.repair(self)


class PairRepairer:
    """Repairs pairs one at a time; every process has its own.

    Args:
        work: the settings.
        parser: finds skin, garments and poses.
        inpainter: paints; needed for the step paint.
    """

    def __init__(self, work: RepairWork, parser: Parser, inpainter: Inpainter | None) -> None:
        self.work, self.parser, self.inpainter = work, parser, inpainter
        self._settings = {
            "revision": REVISION,
            "steps": sorted(work.steps),
            "model": None if work.model is None else file_sha256(model_file(work.model, work.checkpoint)),
            **parser.settings(),
        }

    def repair(self, task: PairTask) -> ImageRow:
        """Repair one pair, keep the earlier result, or report why it cannot be repaired.

        Raises:
            RunError: the result cannot be written.
        """
        failed: dict[str, str] = {}
        with recorded(failed, task.image):
            made_from = self._made_from(task.pair)
            if kept := task.kept(made_from):
                return kept
            repaired = self._repaired(task.pair)
        if failed:
            return ImageRow(task.image, "", "failed", f"{task.image}: {failed[task.image]}")
        assert task.map is not None
        model = "" if self.inpainter is None else self.inpainter.name
        _write(repaired, task.target, task.map, model)
        files = {"person": task.pair.person.as_posix(), "result": task.pair.result.as_posix()}
        return ImageRow(
            task.image,
            task.name,
            "repaired",
            made_from=made_from,
            sha256=file_sha256(task.target),
            map_sha256=file_sha256(task.map),
            report={**files, "model": model, **repaired.report},
        )

    def _made_from(self, pair: PairOfFiles) -> str:
        files = content_hash(pair.person, (pair.result, *self.parser.files(pair)))
        return hash_json([self._settings, files])

    def _repaired(self, pair: PairOfFiles) -> Repaired:
        photo, result = Photo.read(pair.person), Photo.read(pair.result)
        found, pose = self.parser.of_person(photo, pair.person_names)
        return repair(
            photo,
            result,
            parse_person=found,
            parse_result=self.parser.of_result(result, pair.result_names),
            pose=pose,
            inpainter=self.inpainter,
            steps=self.work.steps,
        )


def _write(repaired: Repaired, image: Path, provenance: Path, model: str) -> None:
    """Write the repaired result, marked as partly generated, after its provenance map.

    So no image is without the map, even after an interruption.
    """
    provenance.parent.mkdir(parents=True, exist_ok=True)
    with replacing(provenance) as temporary:
        Image.fromarray(repaired.provenance).save(temporary, format="PNG")
    Painted(repaired.image, repaired.provenance != UNTOUCHED, model=model).save(image)
