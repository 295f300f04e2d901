"""Weights of published networks: found on disk, or downloaded, and never taken unchecked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from skinfw.errors import UserError

VARIABLE = "SKINFW_WEIGHTS"
"""The environment variable that names a folder of weights; files may lie in folders below it."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of published weights.

    Attributes:
        name: what the file is called.
        url: where its publisher offers it.
        sha256: the SHA-256 of its content in hex, or the beginning of it that the publisher gives.
        purpose: what it is, for messages: "VGG-16 trained on ImageNet".
    """

    name: str
    url: str
    sha256: str
    purpose: str


def hub_folder() -> Path:
    """Return the folder in which torch keeps downloaded weights (``TORCH_HOME`` moves it)."""
    return Path(torch.hub.get_dir(), "checkpoints")


def find_weights(file: WeightsFile) -> Path:
    """Return where a file of weights lies; it is downloaded where it is not on disk.

    Looked for are the folder that ``SKINFW_WEIGHTS`` names, with the folders below it, then torch's own.

    Raises:
        UserError: it is not there and cannot be downloaded, or is another file; the text names file, place
            and SHA-256.
    """
    for path in _places(file.name):
        if path.is_file():
            _check(path, file)
            return path
    target = hub_folder() / file.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(file.url, str(target), progress=False)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"{file.name}: {file.purpose} is not on disk and cannot be downloaded ({error}). Get {file.url} "
            f"(SHA-256 {_told(file)}) and put it into {_folders()}"
        ) from error
    _check(target, file)
    return target


def load_weights(file: WeightsFile) -> dict[str, Tensor]:
    """Return the tensors of a file of weights on the CPU; nothing but tensors is unpickled.

    Raises:
        UserError: as `find_weights`, or it holds no tensors by name.
    """
    path = find_weights(file)
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises for a file that is no state dict
        raise UserError(f"{path}: holds no readable weights: {error}") from error
    return state


def _places(name: str) -> Iterator[Path]:
    folder = os.environ.get(VARIABLE)
    if folder:
        yield Path(folder, name)
        yield from sorted(Path(folder).rglob(name))
    yield hub_folder() / name


def _folders() -> str:
    folder = os.environ.get(VARIABLE)
    own = f"{folder} ({VARIABLE})" if folder else f"a folder that the variable {VARIABLE} names"
    return f"{own}, or into {hub_folder()}"


def _told(file: WeightsFile) -> str:
    return file.sha256 if len(file.sha256) == 64 else f"begins with {file.sha256}"


def _check(path: Path, file: WeightsFile) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(file.sha256):
        raise UserError(
            f"{path}: is not {file.purpose}: its SHA-256 is {found}, that of the published file "
            f"{_told(file)}; remove it and get {file.url}"
        )
