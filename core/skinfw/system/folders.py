"""The folders where skinfw keeps its state and cache. Light: the standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_folder() -> Path:
    """Return the folder for state of this user and machine: the key that signs the user's runs."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "skinfw"
    variable, default = (
        ("LOCALAPPDATA", "AppData/Local") if sys.platform == "win32" else ("XDG_STATE_HOME", ".local/state")
    )
    return Path(os.environ.get(variable) or home / default) / "skinfw"


def cache_folder() -> Path:
    """Return the folder for what can be made again: SKINFW_CACHE, or the user's cache folder."""
    chosen = os.environ.get("SKINFW_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "skinfw"
    variable, default = (
        ("LOCALAPPDATA", "AppData/Local") if sys.platform == "win32" else ("XDG_CACHE_HOME", ".cache")
    )
    return Path(os.environ.get(variable) or Path.home() / default) / "skinfw"
