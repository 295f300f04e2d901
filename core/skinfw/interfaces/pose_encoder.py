"""The interface of pose encoders."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import ClassVar, TypeVar

from skinfw.components.config import PoseEncoderConfig, Size
from skinfw.data.keypoints import Keypoints
from skinfw.data.people import pick_person
from skinfw.data.photo import Photo
from skinfw.data.segmentation import Mask, RgbImage
from skinfw.data.skeleton import draw_pose
from skinfw.interfaces.component import Component

PoseEncoderConfigT = TypeVar("PoseEncoderConfigT", bound=PoseEncoderConfig)


class PoseEncoder(Component[PoseEncoderConfigT, None]):
    """Finds a person's pose and draws it as a pose map."""

    kind: ClassVar[str] = "pose_encoder"

    @abstractmethod
    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the poses of all people in a photo, in pixels of that photo.

        Returns:
            BODY_25 keypoints of each person, in a fixed order; a single-person encoder returns at most
            one.

        Raises:
            DataError: the poses cannot be found; the message says why.
        """

    def keypoints(self, photo: Photo, person: Mask | None = None) -> Keypoints | None:
        """Return the pose of the person in a photo, in pixels of that photo.

        Args:
            photo: the photo.
            person: where the person is, bool ``(H, W)``; of several people, the one with the largest overlap
                is chosen, see `skinfw.data.people.pick_person`.

        Returns:
            BODY_25 keypoints, or None if nobody was found.

        Raises:
            DataError: the pose cannot be read; the message says why.
        """
        return pick_person(self.people(photo), person)

    def draw(self, keypoints: Keypoints, size: Size) -> RgbImage:
        """Return the pose map, uint8 RGB ``(H, W, 3)``; by default in the configured style."""
        return draw_pose(keypoints, size, self.config.draw)

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the files, other than the photo, that the pose in this photo comes from.

        ``prepare`` makes a sample again when one of them changes.
        """
        return ()

    def pose_key(self, photo: Path) -> Hashable:
        """Return a key of what the pose is read from, by default its `sources`; empty for its pixels.

        Two photos with the same key would get the same pose, so ``prepare`` rejects them.
        """
        return self.sources(photo)

    def fingerprint(self) -> str:
        """Return a fingerprint of everything besides the configuration that affects the poses.

        For instance the SHA-256 of a weights file; empty if it uses none. ``prepare`` makes samples again
        when it changes.
        """
        return ""
