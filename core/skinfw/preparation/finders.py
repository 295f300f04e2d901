"""What finds label map and pose of each photo: files beside it are read, others may find what has none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from skinfw.assembly.build import build
from skinfw.components.reference import ComponentSpec
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.preparation.report import MadeBy

FinderT = TypeVar("FinderT", bound="Segmenter[Any] | PoseEncoder[Any]")


@dataclass(frozen=True)
class Missing:
    """What finds label maps and poses of photos for which a component reads files, and there are none.

    Attributes:
        label_maps: a segmenter; None: such photos are rejected.
        poses: a pose encoder; None: likewise.
    """

    label_maps: ComponentSpec | None = None
    poses: ComponentSpec | None = None


NONE_FOUND = Missing()
"""Photos without the files that a component reads are rejected."""


def on_disk(reader: Segmenter[Any] | PoseEncoder[Any], photo: Path | None) -> bool:
    """Return whether what a component reads for a photo is on disk; False for one that reads nothing."""
    files = () if photo is None else reader.sources(photo)
    return bool(files) and all(path.is_file() for path in files)


class Finder(Generic[FinderT]):
    """A component, and how samples name it.

    Args:
        reference: the component, as in a spec.
        component: the same, built.
        name: its name in reports: with its settings if there is another one of this type.
    """

    def __init__(self, reference: ComponentSpec, component: FinderT, name: str) -> None:
        self.reference, self.component, self.name = reference, component, name

    @cached_property
    def fingerprint(self) -> str:
        """The component's fingerprint."""
        return self.component.fingerprint()


@dataclass(frozen=True)
class Found:
    """What finds label map and pose of one photo.

    Attributes:
        segmenter: the segmenter.
        pose_encoder: the pose encoder; None for samples without poses.
        drawer: the pose encoder that draws the pose: one for all photos; None likewise.
    """

    segmenter: Finder[Segmenter[Any]]
    pose_encoder: Finder[PoseEncoder[Any]] | None
    drawer: Finder[PoseEncoder[Any]] | None

    @property
    def posed_by(self) -> str:
        """The name of the pose encoder; empty if there is none."""
        return "" if self.pose_encoder is None else self.pose_encoder.name

    def settings(self) -> dict[str, Any]:
        """Return what a sample's record says about them."""
        pose_encoder = self.pose_encoder
        settings: dict[str, Any] = {
            "segmenter": self.segmenter.reference.to_json(),
            "pose_encoder": None if pose_encoder is None else pose_encoder.reference.to_json(),
        }
        if self.drawer is not None and self.drawer is not pose_encoder:
            settings["drawn_by"] = self.drawer.reference.to_json()
        prints = {"segmenter": self.segmenter.fingerprint}
        if pose_encoder is not None:
            prints["pose_encoder"] = pose_encoder.fingerprint
        return {**settings, "fingerprints": prints} if any(prints.values()) else settings


class Finders:
    """The components that prepare photos.

    Args:
        segmenter: the segmenter.
        pose_encoder: the pose encoder; None for samples without poses.
        missing: what finds label maps and poses of photos without files.

    Raises:
        RegistryError: a component cannot be built.
    """

    def __init__(
        self, segmenter: ComponentSpec, pose_encoder: ComponentSpec | None, missing: Missing
    ) -> None:
        self._segmenters = [
            Finder(each, build(each, Segmenter), name)
            for name, each in _named(segmenter, missing.label_maps).items()
        ]
        poses = None if pose_encoder is None else missing.poses
        self._pose_encoders = [
            Finder(each, build(each, PoseEncoder), name) for name, each in _named(pose_encoder, poses).items()
        ]

    @property
    def segmenter(self) -> Segmenter[Any]:
        """The segmenter of photos that have the files that it reads."""
        return self._segmenters[0].component

    @property
    def pose_encoder(self) -> PoseEncoder[Any] | None:
        """The pose encoder of photos that have the files that it reads; None for samples without poses."""
        return self._pose_encoders[0].component if self._pose_encoders else None

    @property
    def finds_missing_label_maps(self) -> bool:
        """Whether another segmenter finds what has no file."""
        return len(self._segmenters) > 1

    def checked(self) -> tuple[str, ...]:
        """Return the names of the segmenters whose label maps are checked as a set.

        What only finds missing label maps is not, unless it reads files itself: it sees other photos.
        """
        first, *others = self._segmenters
        return (first.name, *(each.name for each in others if each.reference.config.reads_files()))

    def of(self, photo: Path) -> Found:
        """Return what finds label map and pose of a photo; its files must be on disk."""
        return Found(
            _chosen(self._segmenters, photo),
            _chosen(self._pose_encoders, photo) if self._pose_encoders else None,
            self._pose_encoders[0] if self._pose_encoders else None,
        )

    def fingerprints(self, used: MadeBy) -> list[str]:
        """Return the fingerprints of the components that were used; others may lack their weights."""
        prints = [each.fingerprint for each in self._segmenters if each.name in used.segmenters]
        return prints + [each.fingerprint for each in self._pose_encoders if each.name in used.pose_encoders]

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files besides the photo from which its sample is made, or would be if they existed."""
        finders: list[Segmenter[Any] | PoseEncoder[Any]] = [each.component for each in self._segmenters]
        finders += [each.component for each in self._pose_encoders]
        return tuple(dict.fromkeys(path for each in finders for path in each.sources(photo)))


def _named(*references: ComponentSpec | None) -> dict[str, ComponentSpec]:
    """Return components by their names in reports, without equal ones."""
    given = [each for each in references if each is not None]
    same = len({each.name for each in given}) < len(given)
    return {each.shown() if same else each.name: each for each in given}


def _chosen(finders: list[Finder[FinderT]], photo: Path) -> Finder[FinderT]:
    """Return the last finder if there are several and the first one reads files that are missing."""
    first = finders[0]
    has_all = not first.reference.config.reads_files() or on_disk(first.component, photo)
    return first if has_all else finders[-1]
