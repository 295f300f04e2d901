"""Weights of published networks: found on disk or downloaded, and always checked."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from skinfw.components.trust import reject_connection
from skinfw.errors import UserError, first_line
from skinfw.licenses.ledger import Commercial
from skinfw.licenses.terms import Terms
from skinfw.system.folders import cache_folder

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "SKINFW_WEIGHTS"
"""The environment variable that names a folder of weights; files may be in subfolders."""

TIMEOUT = 30
"""Timeout of a download in seconds."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of published weights.

    Attributes:
        name: the file name.
        url: the publisher's address.
        sha256: the SHA-256 of its content in hex, or the first digits if the publisher gives only those.
        purpose: what it is, for messages: "VGG-16 trained on ImageNet".
        license: the license under which it is published, an SPDX expression.
        stated: the address where its publisher says so.
        commercial: whether it may be used commercially; None: as the license says.
        note: what limits the license.
        cache: where to keep a downloaded file: torch's folder, which torchvision uses too, or skinfw's own.
        also: the SHA-256 of other accepted files on disk: the same network, packed differently.
        other_names: other names of such files.
    """

    name: str
    url: str
    sha256: str
    purpose: str
    license: str
    stated: str = ""
    commercial: Commercial | None = None
    note: str = ""
    cache: Literal["torch", "skinfw"] = "torch"
    also: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()

    @property
    def terms(self) -> Terms:
        """Under which license it is published."""
        return Terms(self.license, self.stated, self.commercial, self.note)

    @property
    def folder(self) -> Path:
        """The folder of the downloaded file."""
        return hub_folder() if self.cache == "torch" else cache_folder() / "weights"


def hub_folder() -> Path:
    """Return the folder where torch keeps downloaded weights (``TORCH_HOME`` moves it)."""
    import torch.hub

    return Path(torch.hub.get_dir(), "checkpoints")


def find_weights(file: WeightsFile) -> Path:
    """Return the path of a weights file; it is downloaded if it is not on disk.

    The folder that ``SKINFW_WEIGHTS`` names, with its subfolders, is searched first, then the file's cache.

    Raises:
        UserError: it is missing and cannot be downloaded, or is a different file; the message names file,
            place and SHA-256.
    """
    found = weights_on_disk(file)
    if found is not None:
        return found

    import pooch

    reject_connection(f"{file.name} ({file.purpose}, {file.url})")
    target = file.folder / file.name
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}" if len(file.sha256) == 64 else None,
            fname=file.name,
            path=file.folder,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )
    except ValueError as error:  # different SHA-256
        raise UserError(
            f"{file.url}: now serves a different file ({error}). Get {file.purpose} elsewhere (SHA-256 "
            f"{_told(file)}) and save it as {file.name} in {_folders(file)}"
        ) from error
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"{file.name}: {file.purpose} is not on disk and cannot be downloaded "
            f"({_reason(error, file.url)}). Get {file.url} "
            f"(SHA-256 {_told(file)}; license: {file.license}) and save it as {file.name} in {_folders(file)}"
        ) from error
    _check(target, file)
    return target


def _reason(error: Exception, url: str) -> str:
    """Return in a few words why a download failed."""
    import requests

    host = urlsplit(url).hostname
    if isinstance(error, requests.Timeout):
        return f"{host} does not answer"
    if isinstance(error, requests.ConnectionError):
        return f"{host} cannot be reached"
    return first_line(error)


def weights_on_disk(file: WeightsFile) -> Path | None:
    """Return the path of a weights file that is on disk; None if it is not.

    Raises:
        UserError: it is a different file.
    """
    for path in _places(file):
        if path.is_file():
            _check(path, file)
            return path
    return None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_weights(file: WeightsFile) -> dict[str, Tensor]:
    """Return the tensors of a weights file on the CPU, pickled or safetensors; only tensors are unpickled.

    Raises:
        UserError: as `find_weights`, or it does not contain named tensors.
    """
    import torch
    from safetensors.torch import load_file

    path = find_weights(file)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever they raise for a file that is not a state dict
        raise UserError(f"{path}: contains no readable weights: {error}") from error
    return state


def _places(file: WeightsFile) -> Iterator[Path]:
    folder = os.environ.get(VARIABLE)
    if folder:
        for name in (file.name, *file.other_names):
            yield Path(folder, name)
            yield from sorted(Path(folder).rglob(name))
    yield file.folder / file.name


def _folders(file: WeightsFile) -> str:
    folder = os.environ.get(VARIABLE)
    own = f"{folder} ({VARIABLE})" if folder else f"a folder that the variable {VARIABLE} names"
    return f"{own}, or in {file.folder}"


def _told(file: WeightsFile) -> str:
    return file.sha256 if len(file.sha256) == 64 else f"begins with {file.sha256}"


def _check(path: Path, file: WeightsFile) -> None:
    found = file_sha256(path)
    if not found.startswith(file.sha256) and found not in file.also:
        raise UserError(
            f"{path}: is not {file.purpose}: its SHA-256 is {found}, the published file's "
            f"{_told(file)}; remove it and get {file.url}"
        )
