"""Hides the places on your machine that a run names: readers of a shared run see only their last part."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from skinfw.components.relocate import spec_for_others, texts_without_folders, without_folders
from skinfw.components.trust import guessed_kind, named_outside
from skinfw.runs.checkpoint_header import KEY
from skinfw.runs.checkpoints import Checkpoint
from skinfw.runs.folder import Run
from skinfw.system.folders import cache_folder

_GIVEN = re.compile(r"\{\w+\}")
"""An argument that skinfw fills in."""


@dataclass(frozen=True)
class Places:
    """The places that a run names, and what is shared of it instead.

    Attributes:
        spec: the filled spec without them.
        named: the paths and programs, and the last parts of addresses, that the run's own spec names in full
            and this one does not.
        arguments: where the spec has arguments of programs, which may hold secrets.
        known: all places that the spec, the baselines, the providers and the license ledger name, and the
            folders of this machine, with what is shared of each; longest first. Texts may mention them.
    """

    spec: dict[str, Any]
    named: tuple[str, ...]
    arguments: tuple[str, ...]
    known: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, run: Run, checkpoint: Checkpoint, record: Mapping[str, Any]) -> Places:
        """Find the places of a run, its best checkpoint, and the content of its ``metrics.json``."""
        own = run.spec.to_json()
        spec = spec_for_others(own)
        changed = set(_changed(own, spec))
        named = {each.value for each in named_outside(run.spec, training=True) if each.kind != "hub"}
        components = [own, record.get("baselines", {}), checkpoint.about["components"]]
        rows = [text for text in _texts(record["licenses"]["rows"]) if guessed_kind(text) == "path"]
        written = {os.path.expandvars(text) for text in _texts(components)}
        named |= {each for each in written if guessed_kind(each)}
        named |= {each for each, _ in changed} | {str(run.folder.absolute()), *rows}
        # a public address of a license is meant for readers
        named -= set(_texts(spec["licenses"]))
        known = {each: str(without_folders(each)) for each in named} | _own_folders()
        longest = sorted(known.items(), key=lambda pair: len(pair[0]), reverse=True)
        return cls(
            spec,
            tuple(sorted({text if guessed_kind(text) == "path" else after for text, after in changed})),
            tuple(_arguments({"$": own, "metrics.json": record.get("baselines", {})})),
            tuple(
                (place, shown) for place, shown in longest if place != shown and place != Path(place).anchor
            ),
        )

    def removed(self, value: Any) -> Any:
        """Return JSON with every known place in its keys and texts shortened, and every absolute path."""
        if isinstance(value, dict):
            return {self.removed(key): self.removed(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.removed(part) for part in value]
        if isinstance(value, str):
            for place, shown in self.known:
                if place in value:
                    # /root is not a place in https://host/root, nor in /rootless
                    value = shown.join(re.split(rf"(?<![\w.~$}}-]){re.escape(place)}(?!\w)", value))
            return texts_without_folders(value)
        return value

    def write_checkpoint(self, checkpoint: Checkpoint, path: Path) -> None:
        """Write a checkpoint: as it is, or without places, which its signature does not fit."""
        own = {key: value for key, value in checkpoint.about.items() if key != "signature"}
        about = self.removed(own)
        about["spec"] = spec_for_others(own["spec"])
        if about == own:
            shutil.copyfile(checkpoint.path, path)
            return
        try:
            save_file(dict(checkpoint.tensors), path, metadata={KEY: json.dumps(about)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def _own_folders() -> dict[str, str]:
    """Return the folders of this machine, with what is shared of each."""
    folders = [str(cache_folder().absolute()), tempfile.gettempdir(), str(Path.cwd())]
    found = {each: Path(each).name for each in folders}
    with suppress(RuntimeError):  # no home folder
        found[str(Path.home())] = "~"
    return found


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in JSON, without the keys."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _changed(before: Any, after: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts that differ between two JSON values of the same form, place by place."""
    pairs = zip(_texts(before), _texts(after), strict=True)
    return ((one, other) for one, other in pairs if one != other)


def _arguments(value: Any, place: str = "") -> Iterator[str]:
    """Yield where JSON has arguments of a program that are not from skinfw."""
    if isinstance(value, dict):
        given = value.get("arguments")
        if "program" in value and isinstance(given, list) and not all(map(_GIVEN.fullmatch, given)):
            yield f"{place}.arguments"
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            name = f"[{key}]" if isinstance(value, list) else f".{key}" if place else str(key)
            yield from _arguments(part, place + name)
