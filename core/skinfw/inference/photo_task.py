"""Painting one photo of many: from a file to a file, or to the reason why it was not painted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from skinfw.components.weights import file_sha256
from skinfw.data.body_parts import Limb
from skinfw.data.people import PointInPhoto
from skinfw.errors import DataError, RunError, SkinfwError, first_line
from skinfw.inference.expose import known_limbs
from skinfw.inference.image_table import ImageRow, ImageTask
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.paint_mask import Rgb
from skinfw.inference.painted import Painted
from skinfw.models.named import model_file
from skinfw.preparation.listing import Entry
from skinfw.preparation.record import content_hash
from skinfw.preparation.source import UNPACKED_FOLDER
from skinfw.preparation.unpack import ZipFiles
from skinfw.system.json_file import replacing

TABLE = "painted.jsonl"
"""The table in the output folder, see `skinfw.inference.image_table`."""

REVISION = 6
"""Increased when the same photo, mask and model give other pixels, so that photos are painted again."""


@dataclass(frozen=True)
class PaintWork:
    """The picklable arguments of a `PhotoPainter`, for other processes.

    Attributes:
        folder: base of relative paths: the folder where the command was started.
        output: folder of the painted photos.
        model: a run folder or a checkpoint.
        checkpoint: the best or the last checkpoint of a run.
        device: where the network runs; None for that of its spec.
        segmenter: the segmenter, as in a spec; None for the model's.
        pose_encoder: the pose encoder, as in a spec; None for the model's.
        background: the generator that fills what is behind a limb, as in a spec; None for OpenCV's
            inpainting.
        region: whether the masks are regions whose skin is unknown.
        expose: limbs whose clothes to take off, instead of masks.
        mask_color: the color that marks what to paint.
        person: column and row of a pixel of the person to paint; None for the most prominent one.
        show_masks: folder for the masks that were used, or None.
        seed: chooses the fine structure of the skin.
        on_error: what happens with unusable photos.
        trust: as for `skinfw.inference.inpainter.Inpainter.load`.
    """

    folder: Path
    output: Path
    model: Path
    checkpoint: Literal["best", "last"] = "best"
    device: Literal["auto", "cpu"] | None = None
    segmenter: dict[str, Any] | None = None
    pose_encoder: dict[str, Any] | None = None
    background: dict[str, Any] | None = None
    region: bool = False
    expose: tuple[Limb, ...] = ()
    mask_color: Rgb | None = None
    person: PointInPhoto | None = None
    show_masks: Path | None = None
    seed: int = 0
    on_error: Literal["skip", "fail"] = "skip"
    trust: bool = False

    def build(self) -> PhotoPainter:
        """Load the model; see `skinfw.inference.inpainter.Inpainter.load` for the errors."""
        return PhotoPainter(self)

    def lost(self, task: Any) -> ImageRow:
        """Return the row of a photo whose process ended. See `skinfw.system.workers.Work.lost`."""
        why = f"{task.image}: the process that painted it ended unexpectedly (out of memory?)"
        if self.on_error == "fail":
            raise DataError(why)
        return ImageRow(task.image, "", "failed", why)

    def load(self) -> Inpainter:
        """Load the model."""
        return Inpainter.load(
            self.model,
            checkpoint=self.checkpoint,
            device=self.device,
            segmenter=self.segmenter,
            pose_encoder=self.pose_encoder,
            background=self.background,
            trust=self.trust,
        )

    def paint(self, inpainter: Inpainter, photo: Path, mask: Path | None) -> Painted:
        """Paint a photo.

        Raises:
            DataError: it cannot be painted; the message names it, whatever a network or component raised.
        """
        region = mask if self.region else None
        try:
            return inpainter.paint(
                photo,
                mask if region is None else None,
                region=region,
                expose=self.expose,
                mask_color=self.mask_color,
                person=self.person,
                seed=self.seed,
            )
        except RunError as error:  # for instance NaN
            raise DataError(f"{photo}: {error}") from error
        except SkinfwError:
            raise
        except Exception as error:  # third-party components may raise anything
            raise DataError(f"{photo}: {type(error).__name__}: {first_line(error)}") from error


@dataclass(frozen=True, kw_only=True)
class PhotoTask(ImageTask):
    """One photo to paint. Its map is the file for the mask that was used.

    Attributes:
        entry: the photo.
        mask: its mask, or None to find the holes.
        error: why it cannot be painted; empty if it can.
    """

    entry: Entry
    mask: Path | None = None
    error: str = ""

    def run(self, painter: PhotoPainter) -> ImageRow:
        """Paint the photo."""
        return painter.paint(self)


class PhotoPainter:
    """Paints photos one at a time; every process loads its own model.

    Args:
        work: the model and the settings.
    """

    def __init__(self, work: PaintWork) -> None:
        self.work = work
        self.inpainter = work.load()
        self._zips: dict[Path, ZipFiles] = {}
        segmenter, encoder = self.inpainter.segmenter, self.inpainter.pose_encoder
        settings = {
            "revision": REVISION,
            "model": file_sha256(model_file(work.model, work.checkpoint)),
            "segmenter": [segmenter.config.model_dump(mode="json"), segmenter.fingerprint()],
            "pose_encoder": [encoder.config.model_dump(mode="json"), encoder.fingerprint()],
            "background": self.inpainter.background.fingerprint(),
            "region": work.region,
            "expose": known_limbs(work.expose),
            "mask_color": work.mask_color,
            "person": work.person,
            "seed": work.seed,
        }
        self._settings = json.dumps(settings, sort_keys=True)

    def paint(self, task: PhotoTask) -> ImageRow:
        """Paint one photo, keep the earlier result, or report why it cannot be painted.

        Raises:
            DataError: it cannot be painted, and the settings stop at errors.
            RunError: the result cannot be written.
        """
        try:
            if task.error:
                raise DataError(task.error)
            with self._on_disk(task.entry) as path:
                return self._painted(task, path)
        except DataError as error:
            if self.work.on_error == "fail":
                raise
            return ImageRow(task.image, "", "failed", str(error))
        except SkinfwError:
            raise
        except Exception as error:  # third-party components may raise anything
            why = f"{task.entry.name}: {type(error).__name__}: {first_line(error)}"
            if self.work.on_error == "fail":
                raise DataError(why) from error
            return ImageRow(task.image, "", "failed", why)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files that belong to a photo: its label map and its pose."""
        return (*self.inpainter.segmenter.sources(photo), *self.inpainter.pose_encoder.sources(photo))

    def _painted(self, task: PhotoTask, path: Path) -> ImageRow:
        made_from = self._made_from(task, path)
        if kept := task.kept(made_from):
            return kept
        painted = self.work.paint(self.inpainter, path, task.mask)
        task.target.parent.mkdir(parents=True, exist_ok=True)
        painted.save(task.target)
        map_sha256 = ""
        if task.map is not None:
            save_mask(painted.mask, task.map)
            map_sha256 = file_sha256(task.map)
        return ImageRow(
            task.image,
            task.name,
            "painted",
            made_from=made_from,
            sha256=file_sha256(task.target),
            map_sha256=map_sha256,
            report=dict(painted.report),
        )

    def _made_from(self, task: PhotoTask, path: Path) -> str:
        digest = hashlib.sha256(self._settings.encode())
        digest.update(content_hash(path, self.sources(path), task.entry).encode())
        if task.mask is not None:
            digest.update(file_sha256(task.mask).encode())
        return digest.hexdigest()

    @contextmanager
    def _on_disk(self, entry: Entry) -> Iterator[Path]:
        """Keep a photo, its label map and its pose on disk while it is painted."""
        if entry.error:
            raise DataError(entry.error)
        if entry.archive is None:
            yield entry.path
            return
        if entry.archive not in self._zips:
            self._zips[entry.archive] = ZipFiles(entry.archive, self.work.output / UNPACKED_FOLDER)
        zipped = self._zips[entry.archive]
        try:
            for path in (entry.path, *self.sources(entry.path)):
                zipped.take(path)
            yield entry.path
        finally:
            entry.path.unlink(missing_ok=True)


def save_mask(mask: Any, path: Path) -> None:
    """Write a mask as a PNG: white where it is set. See `skinfw.system.json_file.replacing` for the errors.

    Args:
        mask: bool ``(H, W)``.
        path: the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        Image.fromarray(mask).save(temporary, format="PNG")
