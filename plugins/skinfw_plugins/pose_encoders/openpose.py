"""Poses from OpenPose's JSON files, or from running OpenPose."""

from __future__ import annotations

import tempfile
from pathlib import Path

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw.interfaces.pose_encoder import PoseEncoder
from skinfw.system.paths_below import on_disk
from skinfw_plugins.pose_encoders.config import OpenposeConfig
from skinfw_plugins.pose_encoders.openpose_json import read_poses
from skinfw_plugins.pose_encoders.openpose_program import run_openpose

FOLDER = "openpose"
"""The folder of the JSON files if none is configured."""


class OpenposePoseEncoder(PoseEncoder[OpenposeConfig]):
    """Reads OpenPose's JSON next to the photo, or from a folder that mirrors the photos' tree.

    By default it is the nearest folder called ``openpose`` above the photo. With a ``binary``, OpenPose runs
    on each photo without JSON and loads its models each time. For many such photos, one run of OpenPose over
    their folder with ``--write_json`` is faster.
    """

    def sources(self, photo: Path) -> tuple[Path, ...]:
        """Return the JSON file of a photo; empty if missing.

        Raises:
            UserError: the configured folder does not exist.
        """
        found = next((path for path in map(on_disk, self._candidates(photo)) if path.is_file()), None)
        return () if found is None else (found,)

    def people(self, photo: Photo) -> list[Keypoints]:
        """Return the poses in the JSON file of a photo, in the file's order.

        Raises:
            DataError: the photo has no JSON file, the file is not OpenPose's or does not fit the photo,
                or OpenPose failed.
            UserError: the configured folder does not exist, or OpenPose cannot be started.
        """
        sources = () if photo.path is None else self.sources(photo.path)
        if sources:
            config = self.config
            return read_poses(sources[0], config.order, photo.size, config.pixels_of, config.coordinates)
        if self.config.binary is not None:
            return self._run(photo, self.config.binary)
        if photo.path is None:
            raise UserError(
                "the openpose pose encoder reads files, which only photos on disk have; use one that "
                "finds poses itself, such as bodypix"
            )
        folder = self._folder(photo.path)
        raise DataError(
            f"{photo.path}: no pose file {photo.path.stem}{self.config.suffix} next to it"
            + (f" nor under {folder}" if folder is not None else "")
            + "; run OpenPose with --write_json, set binary to its program, or use a pose encoder that finds "
            "poses itself, such as bodypix"
        )

    def _run(self, photo: Photo, binary: Path) -> list[Keypoints]:
        config = self.config
        with tempfile.TemporaryDirectory(prefix="skinfw-openpose-") as folder:
            found = run_openpose(photo.pixels, binary, config.model_folder, config.timeout, Path(folder))
            return read_poses(found, "body_25")

    def _candidates(self, photo: Path) -> list[Path]:
        """Return possible paths of the JSON file, those that share most of the photo's path first."""
        name = photo.stem.removesuffix(self.config.photo_suffix) + self.config.suffix
        places = [photo.with_name(name)]
        folder = self._folder(photo)
        if folder is not None:
            above = photo.absolute().parent.parts[1:]
            places += [Path(folder, *above[start:], name) for start in range(len(above) + 1)]
        return places

    def _folder(self, photo: Path) -> Path | None:
        folder = self.config.folder
        if folder is not None:
            if not folder.is_dir():  # it is wrong for every photo
                raise UserError(f"{folder}: no such folder; give the one that holds OpenPose's JSON files")
            return folder
        above = (parent / FOLDER for parent in photo.absolute().parents)
        return next((folder for folder in above if folder.is_dir()), None)
