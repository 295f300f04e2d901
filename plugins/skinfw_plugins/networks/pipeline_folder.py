"""Folders in the layout of diffusers: checked before the library reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skinfw.components.weights import file_sha256
from skinfw.errors import UserError
from skinfw.system.json_file import read_json
from skinfw.system.walk import walk
from skinfw_plugins.shared.kernels import reject_kernels_in

INDEX = "model_index.json"
"""The file that names the pipeline and its parts."""

LIBRARIES = ("diffusers", "transformers")
"""The libraries whose classes a pipeline's parts may have."""

_READ = (".json", ".txt", ".model", ".safetensors")
"""Suffixes of the files that determine what a pipeline does."""


class PipelineFolder:
    """A folder that diffusers' ``save_pretrained`` wrote: ``model_index.json``, and a folder for each part.

    Args:
        path: the folder.

    Raises:
        UserError: it is not such a folder, contains a special file, or names code of other libraries, of its
            own or of a hub.
    """

    def __init__(self, path: Path) -> None:
        if not (path / INDEX).is_file():
            raise UserError(
                f"{path}: not a pipeline in diffusers' layout, as it has no {INDEX}; give the folder that "
                "contains it"
            )
        self.path = path
        index = read_json(path / INDEX)
        if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
            raise UserError(
                f"{path / INDEX}: names no class of diffusers in _class_name; code in a pipeline's folder is "
                "never run"
            )
        self.pipeline: str = index["_class_name"]
        self.parts = {
            name: (part[0], part[1])
            for name, part in index.items()
            if isinstance(part, list) and len(part) == 2 and part[0] is not None
        }
        self._check()

    def _check(self) -> None:
        for name, (library, kind) in self.parts.items():
            # a module of one of diffusers' own pipelines is named without its package
            if library not in LIBRARIES and not _is_pipeline_module(library):
                raise UserError(
                    f"{self.path / INDEX}: the part {name} is {kind} of {library}, which is not run; only "
                    f"parts of {' and '.join(LIBRARIES)} are"
                )
        for folder in walk([self.path]):
            for skipped in folder.skipped:
                if skipped.kind == "special file":  # the library would wait for it
                    raise UserError(f"{skipped.path}: {skipped.detail}; remove it from the pipeline's folder")
        for name in self.parts:
            config = self.path / name / "config.json"
            if config.is_file():
                reject_kernels_in(read_json(config), str(self.path / name))

    def fingerprint(self) -> str:
        """Return a hash of its files that determine what the pipeline does."""
        digest = hashlib.sha256()
        for path in self._files():
            digest.update(f"{path.relative_to(self.path).as_posix()}\0{file_sha256(path)}\0".encode())
        return digest.hexdigest()

    def _files(self) -> Iterator[Path]:
        yield self.path / INDEX
        for name in sorted(self.parts):
            if (self.path / name).is_dir():
                for folder in walk([self.path / name]):
                    yield from (
                        folder.path / each for each in folder.files if Path(each).suffix.lower() in _READ
                    )


def _is_pipeline_module(library: Any) -> bool:
    from diffusers import pipelines

    return isinstance(library, str) and library.isidentifier() and hasattr(pipelines, library)
