"""What a spec leads to outside skinfw, and whether the user allowed it. Light: no torch.

The spec of a run that the user trained is signed with a key that only this user has. What any other run
names (a program, a path, an address) is rejected until the user says that the run is trusted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from skinfw.components.outside import Outside, OutsideKind
from skinfw.components.reference import ComponentSpec
from skinfw.errors import TrustError, printable, shortened
from skinfw.system.folders import state_folder
from skinfw.system.paths_below import leads_out
from skinfw.system.processes import is_worker
from skinfw.system.regular_file import open_regular

KEY_FILE = "key"
"""In the user's state folder: what the specs of the user's own runs are signed with."""

VARIABLE = "SKINFW_NO_CONNECTIONS"
"""Environment variable that is 1 while a run that nobody trusts is used; child processes inherit it."""

MAX_NAMED = 5
"""Values that an error names before it only counts."""

logger = logging.getLogger("skinfw")
_FOREIGN = "this run was not trained on this machine by you"
_ALLOW = "allow what it names with --trust (in Python: open_run(folder, trust=True))"
_KINDS: dict[OutsideKind, str] = {
    "program": "a program to start",
    "path": "a path",
    "address": "an address to fetch from",
    "hub": "a model on a hub",
}
_announced: set[str] = set()
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]")


@dataclass(frozen=True)
class Named:
    """Something outside skinfw that a spec names.

    Attributes:
        place: the JSON path of the field.
        kind: what it is.
        value: the value.
    """

    place: str
    kind: OutsideKind
    value: str


def named_outside(value: Any, place: str = "$", *, training: bool = False) -> list[Named]:
    """Return what a spec, a component or a configuration names outside skinfw.

    Fields say so with `skinfw.components.outside.Outside`, which `SpecPath` and `ProgramPath` bring. Paths
    and addresses in other fields count too, so that a plugin that marks nothing opens no door.

    Args:
        value: the spec, component or configuration.
        place: its JSON path.
        training: whether fields that only training uses count.
    """
    if isinstance(value, ComponentSpec):
        return named_outside(value.config, place, training=training)
    if isinstance(value, BaseModel):
        found = []
        for name, field in type(value).model_fields.items():
            if name == "schema_":  # for editors
                continue
            marks = [mark for mark in field.metadata if isinstance(mark, Outside)] + _marks(field.annotation)
            inner = f"{place}.{field.alias or name}"
            if marks and marks[0].training and not training:
                continue
            found += _leaves(getattr(value, name), inner, marks[0].kind if marks else None, training)
        return found
    return _leaves(value, place, None, training)


def _marks(annotation: Any) -> list[Outside]:
    if isinstance(annotation, Outside):
        return [annotation]
    return [mark for part in get_args(annotation) for mark in _marks(part)]


def _leaves(value: Any, place: str, kind: OutsideKind | None, training: bool) -> list[Named]:
    if isinstance(value, BaseModel | ComponentSpec):
        return named_outside(value, place, training=training)
    if isinstance(value, Mapping):
        return [
            each for key, part in value.items() for each in _leaves(part, f"{place}.{key}", kind, training)
        ]
    if isinstance(value, tuple | list | set | frozenset):
        pairs = enumerate(value)
        return [each for index, part in pairs for each in _leaves(part, f"{place}[{index}]", kind, training)]
    if isinstance(value, str | Path):
        kind = kind or _kind_of(value)
        return [Named(place, kind, str(value))] if kind else []
    return []


def _kind_of(value: str | Path) -> OutsideKind | None:
    """Return what an unmarked value is by its look."""
    if isinstance(value, Path):
        return "path"
    value = value.strip()  # as libraries that fetch do
    if _ADDRESS.match(value):
        return "address"
    return "path" if _ABSOLUTE.match(value) or ".." in re.split(r"[/\\]", value) else None


def reject_foreign(named: Sequence[Named], source: str) -> None:
    """Reject what the spec of a run names that nobody trusts.

    Args:
        named: what it names.
        source: where the spec was read.

    Raises:
        TrustError: it names something; the text says what, where and which option allows it.
    """
    if not named:
        return
    told = [
        f"{each.place} names {_KINDS[each.kind]}, {shortened(each.value, 200)!r}"
        for each in sorted(named, key=lambda each: list(_KINDS).index(each.kind))[:MAX_NAMED]
    ]
    more = f"; and {len(named) - MAX_NAMED:,} more" if len(named) > MAX_NAMED else ""
    raise TrustError(
        f"{source}: {_FOREIGN}, and its spec leads elsewhere: {'; '.join(told)}{more}. Nothing of it was "
        f"started, read or fetched. If you know where the run comes from, {_ALLOW}"
    )


def reject_links(folder: Path) -> None:
    """Reject symbolic links in the folder of a run that nobody trusts, where they lead out of it.

    Raises:
        TrustError: there is one.
    """
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink() and leads_out(path, folder):
                raise TrustError(
                    f"{path}: a symbolic link that leads out of the run folder, and {_FOREIGN}; put the file "
                    f"itself there, or {_ALLOW}"
                )


def announce_programs(*values: ComponentSpec | BaseModel) -> None:
    """Say which programs components or specs start, once and before they do.

    Processes of a pool say nothing: the one that started them has said it.
    """
    if is_worker():
        return
    for value in values:
        what = f"the {value.kind} {value.name!r}" if isinstance(value, ComponentSpec) else "the spec"
        for each in named_outside(value, training=True):
            if each.kind == "program" and each.value not in _announced:
                _announced.add(each.value)
                logger.warning("%s starts the program %s", what, printable(shortened(each.value, 200)))


def sign(spec: Any) -> str:
    """Return the user's signature of a spec, as JSON gives it; an empty text where there is no key."""
    key = _key(make=True)
    return _signature(key, spec) if key else ""


def is_own(spec: Any, signature: object) -> bool:
    """Return whether this user signed a spec."""
    if not isinstance(signature, str) or not signature.isascii():
        return False
    key = _key(make=False)
    return bool(key) and hmac.compare_digest(_signature(key, spec), signature)


def _signature(key: bytes, spec: Any) -> str:
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _key(*, make: bool) -> bytes:
    """Return the user's key; nothing where there is none and none can be made, as in a read-only home."""
    try:
        path = state_folder() / KEY_FILE
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = path.with_name(f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(8)}")
            try:
                with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
                with suppress(FileExistsError):
                    os.link(new, path)  # which of two processes is first decides
            finally:
                new.unlink(missing_ok=True)
        with open_regular(path) as stream:
            if os.name == "posix" and os.fstat(stream.fileno()).st_mode & 0o077:
                _warn_of_rights(path)
            return stream.read()
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return b""


@cache
def _warn_of_rights(path: Path) -> None:
    logger.warning(
        "%s: other users may use this key, and runs that they sign count as yours: chmod 600 %s", path, path
    )


@contextmanager
def connections(allowed: bool) -> Iterator[None]:
    """Forbid connections for a while, in this process and in those that it starts meanwhile."""
    before = os.environ.get(VARIABLE)
    if not allowed:
        os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def reject_connection(what: str) -> None:
    """Reject to open a connection for a run that nobody trusts.

    Args:
        what: what would be fetched, and from where.

    Raises:
        TrustError: connections are forbidden at the moment.
    """
    if os.environ.get(VARIABLE) == "1":
        raise TrustError(
            f"{what} is not on disk, and {_FOREIGN}, so nothing is fetched for it; fetch it yourself, or "
            f"{_ALLOW}"
        )
