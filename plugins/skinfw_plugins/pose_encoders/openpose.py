"""Poses that OpenPose has found, read from its JSON files."""

from __future__ import annotations

from pathlib import Path

from skinfw.data.keypoints import Keypoints, read_openpose_json
from skinfw.data.photo import Photo
from skinfw.errors import DataError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw_plugins.pose_encoders.config import OpenposeConfig

FOLDER = "openpose"
"""Where JSON files are looked for when no folder is configured."""


class OpenposePoseEncoder(PoseEncoder[OpenposeConfig]):
    """Reads BODY_25 JSON beside the photo, or from a folder that mirrors the photos' tree.

    Where no folder is configured it is the one called ``openpose`` nearest above the photo.
    """

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the JSON file of a photo; empty where there is none."""
        found = next((path for path in self._candidates(photo) if path.is_file()), None)
        return () if found is None else (found,)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the poses in the JSON file of a photo, in the file's order.

        Raises:
            DataError: there is no JSON file for the photo, or it is no BODY_25 of OpenPose.
        """
        if photo.path is None:
            raise DataError("the openpose pose encoder reads files: it needs a photo that lies on disk")
        sources = self.sources(photo.path)
        if not sources:
            folder = self._folder(photo.path)
            raise DataError(
                f"{photo.path}: no pose file {photo.path.stem}{self.config.suffix} beside it"
                + (f" nor under {folder}" if folder is not None else "")
                + "; run OpenPose with --write_json, or use a pose encoder that finds poses itself"
            )
        return read_openpose_json(sources[0])

    def _candidates(self, photo: Path) -> list[Path]:
        """Return where the JSON file may be, those that share most of the photo's path first."""
        name = photo.stem + self.config.suffix
        places = [photo.with_name(name)]
        folder = self._folder(photo)
        if folder is not None:
            above = photo.absolute().parent.parts[1:]
            places += [Path(folder, *above[start:], name) for start in range(len(above) + 1)]
        return places

    def _folder(self, photo: Path) -> Path | None:
        if self.config.folder is not None:
            return self.config.folder
        above = (parent / FOLDER for parent in photo.absolute().parents)
        return next((folder for folder in above if folder.is_dir()), None)
