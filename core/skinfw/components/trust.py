"""What a spec refers to outside skinfw, and whether you allowed it. Light: no torch.

The spec of a run that you trained is signed with a key that only you have. Programs, paths and addresses in
the spec of any other run are rejected until you trust the run.
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

from skinfw.components.outside import CITED, EMBEDDED, HUB, Outside, OutsideKind, is_address
from skinfw.components.reference import ComponentSpec
from skinfw.errors import RunError, TrustError, printable, shortened
from skinfw.system.folders import state_folder
from skinfw.system.paths_below import leads_out
from skinfw.system.processes import is_worker
from skinfw.system.regular_file import open_regular

KEY_FILE = "key"
"""The key in the user's state folder that signs the specs of the user's own runs."""

VARIABLE = "SKINFW_NO_CONNECTIONS"
"""Environment variable that is 1 while an untrusted run is used; child processes inherit it."""

MAX_NAMED = 5
"""Maximum values that an error names; the rest is counted."""

logger = logging.getLogger("skinfw")
_FOREIGN = "you did not train this run on this machine"
_ALLOW = "allow what it names with --trust (in Python: open_run(folder, trust=True))"
_KINDS: dict[OutsideKind, str] = {
    "program": "a program to start",
    "path": "a path",
    "address": "an address to fetch from",
    "hub": "a model on a hub",
    "model": "a model",
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
        unset: the name of an environment variable in it that is not set; None if all are.
    """

    place: str
    kind: OutsideKind
    value: str
    unset: str | None = None


def named_outside(value: Any, place: str = "$", *, training: bool = False) -> list[Named]:
    """Return everything outside skinfw that a spec, component or configuration names.

    Fields are marked with `skinfw.components.outside.Outside`, as `SpecPath` and `ProgramPath` are. Paths
    and addresses in other fields count too, so a plugin without marked fields is not a loophole.

    Args:
        value: the spec, component or configuration.
        place: its JSON path.
        training: whether to include fields that only training uses.
    """
    if isinstance(value, ComponentSpec):
        return named_outside(value.config, place, training=training)
    if isinstance(value, BaseModel):
        found = []
        for name, field in type(value).model_fields.items():
            if CITED in field.metadata:
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
        if kind == "path" and isinstance(value, str) and is_address(value):
            kind = "address"
        kind = _kind_of_model(value) if kind == "model" else kind or guessed_kind(value)
        return [Named(place, kind, str(value), getattr(value, "unset", None))] if kind else []
    return []


def _kind_of_model(value: str | Path) -> OutsideKind | None:
    """Return the kind of a model; None for one in the package, which is not outside."""
    if str(value).startswith(EMBEDDED):
        return None
    return "hub" if str(value).startswith(HUB) else "path"


def guessed_kind(value: str | Path) -> OutsideKind | None:
    """Guess the kind of an unmarked value; None if it looks like nothing outside."""
    if isinstance(value, Path):
        return "path"
    value = value.strip()  # as libraries that fetch do
    if _ADDRESS.match(value):
        return "address"
    return "path" if _ABSOLUTE.match(value) or ".." in re.split(r"[/\\]", value) else None


def reject_unset(value: Any, place: str = "$", *, training: bool = False) -> None:
    """Reject a spec, component or configuration with a path whose environment variables are not set.

    Only those from run folders and checkpoints can have one; see `skinfw.components.variables.STORED`.

    Args:
        value: the spec, component or configuration.
        place: its JSON path, or its name in the error.
        training: whether to include fields that only training uses.

    Raises:
        RunError: it has one.
    """
    for each in named_outside(value, place, training=training):
        if each.unset is not None:
            raise RunError(
                f"{each.place}: {each.value!r} needs the environment variable {each.unset}, which is not "
                "set; set it to the place on this machine"
            )


def reject_foreign(named: Sequence[Named], source: str) -> None:
    """Reject an untrusted run whose spec names anything outside skinfw.

    Args:
        named: what the spec names.
        source: where the spec was read from.

    Raises:
        TrustError: it names something; the message says what, where and which option allows it.
    """
    if not named:
        return
    listed = [
        f"{each.place} names {_KINDS[each.kind]}, {shortened(each.value, 200)!r}"
        for each in sorted(named, key=lambda each: list(_KINDS).index(each.kind))[:MAX_NAMED]
    ]
    more = f"; and {len(named) - MAX_NAMED:,} more" if len(named) > MAX_NAMED else ""
    raise TrustError(
        f"{source}: {_FOREIGN}, and its spec refers to other places: {'; '.join(listed)}{more}. Nothing was "
        f"started, read or fetched. If you know where the run comes from, {_ALLOW}"
    )


def reject_links(folder: Path) -> None:
    """Reject symbolic links that lead out of the folder of an untrusted run.

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
    """Log which programs components or specs start, once and before they start.

    Processes of a pool do not log it, as their parent has.
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
    """Return the user's signature of a spec, given as parsed JSON; empty without a key."""
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
    """Return the user's key; empty if it is missing and cannot be created, as in a read-only home."""
    try:
        path = state_folder() / KEY_FILE
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = path.with_name(f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(8)}")
            try:
                with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
                with suppress(FileExistsError):
                    os.link(new, path)  # the first of two processes wins
            finally:
                new.unlink(missing_ok=True)
        with open_regular(path) as stream:
            if os.name == "posix" and os.fstat(stream.fileno()).st_mode & 0o077:
                _warn_of_rights(path)
            return stream.read()
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return b""


@cache
def _warn_of_rights(path: Path) -> None:
    logger.warning(
        "%s: other users can use this key, and runs that they sign count as yours: chmod 600 %s", path, path
    )


@contextmanager
def connections(allowed: bool) -> Iterator[None]:
    """Forbid connections in the with block, in this process and those that it starts meanwhile."""
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
    """Raise an error if an untrusted run would open a connection.

    Args:
        what: what it would fetch, and from where.

    Raises:
        TrustError: connections are currently forbidden.
    """
    if os.environ.get(VARIABLE) == "1":
        raise TrustError(
            f"{what} is not on disk, and {_FOREIGN}, so nothing is fetched; fetch it yourself, or {_ALLOW}"
        )
