"""The files of one sample, wherever they are: in a folder, or in memory after reading a shard."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from skinfw.components.weights import file_sha256
from skinfw.data.image_file import DecodedImage, decode_image, open_image
from skinfw.system.paths_below import path_below
from skinfw.system.regular_file import read_regular


class SampleFiles(ABC):
    """The files of one sample.

    Attributes:
        where: the sample folder; for files in memory, the path that names the sample in errors.
    """

    where: Path

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """Names of everything directly in the sample folder, in any order; empty without a folder."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Return whether there is a file of that name."""

    @abstractmethod
    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: it is missing (`FileNotFoundError`), larger than ``max_bytes``, or cannot be read.
        """

    @abstractmethod
    def image(self, name: str) -> DecodedImage:
        """Decode an image file; see `skinfw.data.image_file.open_image` for the errors."""

    @abstractmethod
    def sha256(self, name: str) -> str:
        """Return the SHA-256 of a file's content in hex.

        Raises:
            OSError: it cannot be read.
        """

    @abstractmethod
    def path(self, name: str) -> Path:
        """Return a path on this machine under which an existing file can be read."""


class FolderFiles(SampleFiles):
    """The files in a sample folder.

    Args:
        folder: the folder; it may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self.where = folder

    @cached_property
    def names(self) -> Sequence[str]:
        """See `SampleFiles.names`; the folder is listed once."""
        try:
            return [entry.name for entry in os.scandir(self.where)]
        except OSError:  # no such folder; what needs a file reports it
            return []

    def has(self, name: str) -> bool:
        """See `SampleFiles.has`; links are followed."""
        return (self.where / name).is_file()

    def read(self, name: str, max_bytes: int) -> bytes:
        """See `SampleFiles.read`."""
        return read_regular(self.where / name, max_bytes)

    def image(self, name: str) -> DecodedImage:
        """See `SampleFiles.image`."""
        return open_image(self.where / name)

    def sha256(self, name: str) -> str:
        """See `SampleFiles.sha256`."""
        return file_sha256(self.where / name)

    def path(self, name: str) -> Path:
        """See `SampleFiles.path`."""
        return path_below(self.where, name)


class PackedFiles(SampleFiles):
    """Files in memory.

    Args:
        where: names the sample in errors.
        contents: the content of each file by its name, which is not a path.

    Attributes:
        contents: as above.
    """

    def __init__(self, where: Path, contents: Mapping[str, bytes]) -> None:
        self.where = where
        self.contents = contents

    @property
    def names(self) -> Sequence[str]:
        """See `SampleFiles.names`."""
        return list(self.contents)

    def has(self, name: str) -> bool:
        """See `SampleFiles.has`."""
        return name in self.contents

    def read(self, name: str, max_bytes: int) -> bytes:
        """See `SampleFiles.read`."""
        if name not in self.contents:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(self.where / name))
        data = self.contents[name]
        if len(data) > max_bytes:
            raise OSError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(self.where / name))
        return data

    def image(self, name: str) -> DecodedImage:
        """See `SampleFiles.image`."""
        return decode_image(self.contents[name], str(self.where / name))

    def sha256(self, name: str) -> str:
        """See `SampleFiles.sha256`."""
        return hashlib.sha256(self.contents[name]).hexdigest()

    def path(self, name: str) -> Path:
        """See `SampleFiles.path`; the file is written to a temporary folder that lives as long as this."""
        path = self._folder / name
        if not path.exists():
            path.write_bytes(self.contents[name])
        return path

    @cached_property
    def _folder(self) -> Path:
        folder = tempfile.mkdtemp(prefix="skinfw-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)
