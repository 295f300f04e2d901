"""Work that no process can begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skinfw.errors import RunError


class Unbuildable:
    """Work, and its task."""

    folder = Path.cwd()

    def build(self) -> object:
        """Fail."""
        raise RunError("no model on this node")

    def lost(self, task: Any) -> str:
        """Never called: the process does not end."""
        raise AssertionError

    def run(self, worker: Any) -> str:
        """Never called: the process cannot begin."""
        raise AssertionError
