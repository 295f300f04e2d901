"""Preparing one photo: from a file to a sample folder, or to the reason for its rejection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from skinfw.components.reference import ComponentSpec
from skinfw.data.keypoints import Keypoints
from skinfw.data.parts import make_agnostic
from skinfw.data.photo import Photo
from skinfw.data.plausibility import check_label_map
from skinfw.data.sample_writer import sample_files, write_sample
from skinfw.data.segmentation import Segmentation
from skinfw.errors import DataError, RunError, SkinfwError
from skinfw.preparation.config import PersonCrop, PrepareConfig, View
from skinfw.preparation.crop import cropped, person_box
from skinfw.preparation.filters import Facts, facts_of, view_of_name
from skinfw.preparation.finders import NONE_FOUND, Finders, Found, Missing
from skinfw.preparation.listing import Entry
from skinfw.preparation.person import pose_and_people, segmented
from skinfw.preparation.record import content_hash, finished, hash_json, own_record, remove_prepared
from skinfw.preparation.report import Reason, Rejected, Row, Status
from skinfw.preparation.source import UNPACKED_FOLDER
from skinfw.preparation.unpack import ZipFiles
from skinfw.runtime.box import crop_box
from skinfw.system.paths_below import path_below

REVISION = 8
"""Increased when the same photo and settings produce different samples, so that they are remade."""

ResultT = TypeVar("ResultT")

logger = logging.getLogger("skinfw")


class PhotoPreparer:
    """Prepares photos one at a time; every process builds its own.

    Args:
        output: folder of the samples.
        segmenter: the segmenter.
        pose_encoder: the pose encoder; None for samples without poses.
        config: margin, crop and filters.
        missing: what finds label maps and poses of photos without files.

    Raises:
        RegistryError: a component cannot be built.
    """

    def __init__(
        self,
        output: Path,
        segmenter: ComponentSpec,
        pose_encoder: ComponentSpec | None,
        config: PrepareConfig,
        missing: Missing = NONE_FOUND,
    ) -> None:
        self.output = output
        self.config = config
        self.finders = Finders(segmenter, pose_encoder, missing)
        self._zips: dict[Path, ZipFiles] = {}

    def prepare(self, entry: Entry, sample: str) -> Row:
        """Make, keep or reject one sample.

        Args:
            entry: the photo.
            sample: the sample's name.

        Raises:
            DataError: the photo is unusable, and the settings stop at errors.
            RunError: the sample cannot be written.
        """
        try:
            made, facts, found = self._prepare(entry, sample)
        except Rejected as rejected:
            self.remove_stale(entry, sample)
            return Row(
                entry.name, sample, "rejected", rejected.reason, rejected.detail,
                fits=rejected.fits, segmenter=rejected.segmenter, pose_encoder=rejected.pose_encoder,
            )  # fmt: skip
        status: Status = "made" if made else "kept"
        return Row(
            entry.name, sample, status, phash=facts.phash or "", fits=facts.fits,
            segmenter=found.segmenter.name, pose_encoder=found.posed_by,
        )  # fmt: skip

    def _prepare(self, entry: Entry, sample: str) -> tuple[bool, Facts, Found]:
        """Return whether the sample was made now, and by what; raise `Rejected` if it cannot be made."""
        view = entry.view or view_of_name(Path(entry.name))
        Facts(view=view).check(self.config)
        with self._on_disk(entry):
            found = self.finders.of(entry.path)
            try:
                made, facts = self._make_or_keep(entry, sample, view, found)
            except Rejected as rejected:
                rejected.segmenter, rejected.pose_encoder = found.segmenter.name, found.posed_by
                raise
            return made, facts, found

    def _make_or_keep(self, entry: Entry, sample: str, view: View | None, found: Found) -> tuple[bool, Facts]:
        path, folder = entry.path, path_below(self.output, sample)
        settings = {
            "revision": REVISION,
            **found.settings(),
            **self.config.model_dump(mode="json", include={"margin", "crop"}),
        }
        content = self._step(
            "photo cannot be read", path, lambda: content_hash(path, self.finders.sources(path), entry)
        )
        identity = {"source": entry.name, "content": content, "settings": hash_json(settings)}
        facts = finished(folder, own_record(folder), identity, posed=found.pose_encoder is not None)
        if facts is not None:
            self._check_labels(path, facts)
            facts.check(self.config)
            return False, facts
        photo = self._step("photo cannot be read", path, lambda: Photo.read(path))
        Facts(size=min(photo.size)).check(self.config)
        segmentation = self._step("segmentation failed", path, lambda: self._segment(photo, found))
        encoder = None if found.pose_encoder is None else found.pose_encoder.component
        keypoints, people = self._step(
            "pose failed", path, lambda: pose_and_people(encoder, photo, segmentation)
        )
        facts = self._step(
            "component failed", path, lambda: facts_of(photo.pixels, view, segmentation, keypoints, people)
        )
        tables = found.segmenter.component.other_tables()
        fits, misfit = check_label_map(segmentation, keypoints, tables)
        facts = replace(facts, fits=fits, misfit=misfit)
        self._check_labels(path, facts)
        facts.check(self.config)
        files = self._step(
            "component failed", path, lambda: self._files(photo, segmentation, keypoints, found)
        )
        about = {
            "name": sample,
            **identity,
            **({"group": entry.group} if entry.group else {}),
            "facts": asdict(facts),
            "classes": segmentation.classes,
            "regions": {str(region): names for region, names in segmentation.regions.items()},
            "made_with": {"skinfw": version("skinfw"), **settings},
        }
        write_sample(folder, files, about)
        return True, facts

    @contextmanager
    def _on_disk(self, entry: Entry) -> Iterator[None]:
        """Keep the photo, its label map and its pose on disk during the preparation."""
        reason: Reason = "could not be fetched" if entry.url else "photo cannot be read"
        if entry.error and self.config.on_error == "fail":
            raise DataError(entry.error)
        if entry.error:
            raise Rejected(reason, entry.error)
        if entry.archive is None:
            yield
            return
        if entry.archive not in self._zips:
            self._zips[entry.archive] = ZipFiles(entry.archive, self.output / UNPACKED_FOLDER)
        zipped = self._zips[entry.archive]
        try:
            self._step(reason, entry.path, lambda: self._take_out(entry, zipped))
            yield
        finally:
            # label maps stay until the end: two photos may share one
            entry.path.unlink(missing_ok=True)

    def _take_out(self, entry: Entry, zipped: ZipFiles) -> None:
        for path in (entry.path, *self.finders.sources(entry.path)):
            zipped.take(path)

    def _check_labels(self, photo: Path, facts: Facts) -> None:
        """Reject a photo with an implausible label map, if configured.

        Raises:
            Rejected: it is.
            DataError: it is, and the settings stop at errors.
        """
        if not facts.misfit or not self.config.check_labels:
            return
        labels = next(iter(self.finders.of(photo).segmenter.component.sources(photo)), photo)
        detail = f"{labels}: {facts.misfit}"
        if self.config.on_error == "fail":
            raise DataError(detail)
        raise Rejected("label map implausible", detail, facts.fits)

    def _files(
        self, photo: Photo, segmentation: Segmentation, keypoints: Keypoints | None, found: Found
    ) -> dict[str, bytes]:
        parts = replace(make_agnostic(photo.pixels, segmentation, self.config.margin), pose=keypoints)
        person = person_box(segmentation.person)
        if isinstance(self.config.crop, PersonCrop) and person is not None:
            parts = cropped(parts, crop_box(person, self.config.crop.aspect, self.config.crop.margin))
        if found.drawer is not None and parts.pose is not None:
            parts = replace(parts, line=found.drawer.component.draw(parts.pose, parts.size))
        return sample_files(parts)

    def _step(self, reason: Reason, photo: Path, action: Callable[[], ResultT]) -> ResultT:
        """Run one step; an error rejects the photo or stops everything.

        Raises:
            Rejected: the photo is unusable.
            DataError: the photo is unusable, and the settings stop at errors.
            SkinfwError: an error that affects every photo.
        """
        try:
            return action()
        except Rejected:
            raise
        except DataError as error:
            if self.config.on_error == "fail":
                # a network knows its own file, but not the photo
                raise DataError(str(error) if str(photo) in str(error) else f"{photo}: {error}") from error
            raise Rejected(reason, str(error)) from error
        except SkinfwError:
            raise
        except Exception as error:  # third-party components may raise anything
            logger.debug("%s: a component failed", photo, exc_info=True)
            detail = f"{photo}: {type(error).__name__}: {error}"
            if self.config.on_error == "fail":
                raise DataError(detail) from error
            raise Rejected("component failed", detail) from error

    def _segment(self, photo: Photo, found: Found) -> Segmentation:
        segmenter = found.segmenter.component
        segmentation = segmented(segmenter, photo)
        unsure = self.config.min_confidence and segmentation.confidence is None and segmentation.person.any()
        # label maps in files need none if only others are checked
        if unsure and (segmenter.computes or not self.finders.finds_missing_label_maps):
            raise RunError(
                f"the segmenter {found.segmenter.reference.name!r} does not say how sure it is, so "
                "min_confidence has no effect; leave it out, or use parser"
            )
        asked = (*self.config.require_classes, *self.config.exclude_classes)
        unknown = [name for name in asked if name not in segmentation.classes]
        if unknown:
            raise RunError(
                f"the segmenter has no class {unknown[0]!r}; it has: {', '.join(segmentation.classes)}"
            )
        return segmentation

    def remove_stale(self, entry: Entry, sample: str) -> None:
        """Remove the earlier sample of a photo that is now rejected."""
        folder = path_below(self.output, sample)
        record = own_record(folder)
        if record is not None and record.get("source") == entry.name:
            remove_prepared(folder)
