"""What a checkpoint says about itself, without its tensors. Light: no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from skinfw.components.strict_model import MAX_ENTRIES
from skinfw.components.trust import is_own
from skinfw.components.validation_errors import format_errors
from skinfw.errors import RunError, first_line
from skinfw.specs.spec import AnySpec, parse_spec
from skinfw.system.json_file import parse_json

KEY = "skinfw"
"""The key of the metadata in a checkpoint."""

MAX_METADATA = 16 * 2**20
"""Maximum characters of the metadata."""

_MAX_HEADER = 100_000_000
"""Maximum bytes of a header, as in the library safetensors."""

Count = Annotated[int, Field(ge=0, le=10**12)]


@dataclass(frozen=True)
class Progress:
    """How far training went.

    Attributes:
        step: optimizer steps done.
        epoch: epochs done.
        batches: batches done in the current epoch.
        data: fingerprint of the data set.
        closed: whether everything due after this step is done: if it ended an epoch or the run, samples
            were shown and evaluated.
        processes: number of training processes.
        total_steps: optimizer steps of the whole run; None if unknown.
    """

    step: Count
    epoch: Count
    batches: Count
    data: str
    closed: bool = True
    processes: Annotated[int, Field(ge=1, le=10**6)] = 1
    total_steps: Count | None = None


class _About(BaseModel):
    """The metadata of every checkpoint."""

    spec: dict[str, Any]
    components: dict[str, str] = Field(max_length=MAX_ENTRIES)
    versions: dict[str, str] = Field(max_length=MAX_ENTRIES)
    progress: Progress


@dataclass(frozen=True)
class Header:
    """The metadata of a checkpoint.

    Attributes:
        path: the file.
        about: all metadata as JSON.
        components: the providers of its components by ``kind/name``.
        progress: how far training went.
    """

    path: Path
    about: Mapping[str, Any]
    components: Mapping[str, str]
    progress: Progress

    @property
    def own(self) -> bool:
        """Whether this user trained it."""
        return is_own(self.about["spec"], self.about.get("signature"))

    def parsed_spec(self) -> AnySpec:
        """Return the filled spec of its run.

        Raises:
            SpecError: it does not match the installed components.
        """
        return parse_spec(self.about["spec"], source=f"{self.path} (its spec)", stored=True)


def parse_header(path: Path, text: str | None) -> Header:
    """Return the metadata of a checkpoint.

    Args:
        path: the file.
        text: the metadata as JSON; None if it has none.

    Raises:
        RunError: they are missing or damaged.
    """
    try:
        if text is None:
            raise ValueError("it has no skinfw metadata")
        if len(text) > MAX_METADATA:
            raise ValueError(f"its metadata is longer than {MAX_METADATA:,} characters")
        about = parse_json(text)
        # as JSON, so that nothing is converted
        found = _About.model_validate_json(text, strict=True)
    except ValidationError as error:
        errors = "; ".join(format_errors(error, about))
        raise RunError(
            f"{path}: not a readable skinfw checkpoint: its metadata is damaged: {errors}"
        ) from error
    except ValueError as error:
        raise unreadable(path, error) from error
    return Header(path, about, found.components, found.progress)


def unreadable(path: Path, error: Exception) -> RunError:
    """Return the error for a damaged checkpoint."""
    return RunError(f"{path}: not a readable skinfw checkpoint: {first_line(error)}")


def read_header(path: Path) -> Header:
    """Read the metadata of a checkpoint.

    Raises:
        RunError: it is missing, damaged, or not a skinfw checkpoint.
    """
    try:
        with path.open("rb") as stream:
            # the format: the length of the header in 8 bytes, the header as JSON, the tensors
            length = int.from_bytes(stream.read(8), "little")
            if length > _MAX_HEADER:
                raise ValueError("its header is too long")
            header = parse_json(stream.read(length).decode("utf-8"))
        metadata = header.get("__metadata__") if isinstance(header, dict) else None
        text = metadata.get(KEY) if isinstance(metadata, dict) else None
        if not isinstance(text, str | None):
            raise ValueError("its metadata is not text")
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    return parse_header(path, text)
