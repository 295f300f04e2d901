"""Unpacking the files of an archive that `skinfw.preparation.archive` lists."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from skinfw.data.image_formats import is_image_name
from skinfw.data.sample_writer import writing_failed
from skinfw.errors import DataError
from skinfw.preparation.archive import is_zip, list_archive, reading
from skinfw.preparation.tar_stream import LimitError, tar_infos
from skinfw.system.leftovers import temporary_beside
from skinfw.system.paths_below import other_case, path_below, real_paths
from skinfw.system.regular_file import open_regular

_CHUNK = 2**16
_UNFIT_NAME = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL)


class ZipFiles:
    """Unpacks the files of a zip one at a time.

    Args:
        archive: the zip.
        folder: where its files go.

    Raises:
        DataError: it cannot be read.
    """

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self._folder = folder
        self._root = Path(os.path.realpath(folder))
        self._real = real_paths()
        self._members = list_archive(archive).members
        with reading(archive):
            self._zip = zipfile.ZipFile(open_regular(archive))

    def take(self, path: Path) -> None:
        """Write one file, unless it already exists or is not in the zip.

        If only its suffix is in the other case in the zip, as in ``a.PNG``, that file is written.

        Raises:
            DataError: it is damaged, encrypted, or larger than it says.
            RunError: it cannot be written.
        """
        if path.exists():
            return
        found = Path(self._real(path))
        names = [
            each.relative_to(self._root).as_posix()
            for each in (found, other_case(found))
            if found.is_relative_to(self._root)
        ]
        name = next((each for each in names if each in self._members), None)
        if name is None:
            return
        member = self._members[name]
        with reading(self.archive, name):
            info = self._zip.infolist()[member.place]
            with self._zip.open(info) as stream:
                _write(path_below(self._folder, name), _chunks(stream, member.size))

    def take_notes(self) -> dict[str, str]:
        """Write all files other than images, such as poses; return why some could not be written."""
        errors = {}
        for name in self._members:
            if not is_image_name(name):
                try:
                    self.take(self._folder / name)
                except DataError as error:
                    errors[name] = str(error)
        return errors


def unpack_some(archive: Path, folder: Path, names: Collection[str]) -> None:
    """Write some files of an archive; see `ZipFiles.take` and `unpack_tar` for the errors."""
    if is_zip(archive):
        files = ZipFiles(archive, folder)
        for name in names:
            files.take(folder / name)
    else:
        unpack_tar(archive, folder, names)


def unpack_tar(archive: Path, folder: Path, names: Collection[str] | None = None) -> None:
    """Write the files of a tar that may be unpacked.

    Args:
        archive: the tar.
        folder: where its files go.
        names: the files to write; None: all.

    Raises:
        DataError: it is damaged.
        RunError: the disk is full, or the folder cannot be written.
    """
    chosen = list_archive(archive).members.values()
    members = {member.place: member for member in chosen if names is None or member.name in names}
    with reading(archive):
        try:
            for info, tar in tar_infos(archive):
                member = members.get(info.offset)
                stream = None if member is None else tar.extractfile(info)
                if member is not None and stream is not None:
                    _write(path_below(folder, member.name), _chunks(stream, member.size))
        except LimitError:  # already reported when the archive was listed
            return


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield a file's bytes, whose number must match its header."""
    left = size
    while data := stream.read(min(_CHUNK, left + 1)):
        left -= len(data)
        if left < 0:
            break
        yield data
    if left:
        raise ValueError(f"it does not have the {size:,} bytes that its header says")


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file atomically; two processes may write the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            with temporary.open("wb") as file:
                file.writelines(_from_archive(chunks))
            temporary.replace(path)
    except OSError as error:
        if error.errno not in _UNFIT_NAME:  # then the file does not exist, and its photo reports it
            raise writing_failed(path, error) from error


def _from_archive(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Separate errors of the archive, which may also be OSErrors, from those of the disk being written."""
    try:
        yield from chunks
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
