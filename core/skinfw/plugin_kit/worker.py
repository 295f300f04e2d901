"""The process that imports a plugin to check it: what the plugin does there harms nobody."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

PHASES = ("light_checks", "full_checks")
"""The functions of the modules of the same name, in the order in which they run."""


def main(phase: str, name: str, file: str) -> None:
    """Write the results of the checks of one phase to a file, a line of JSON for each as it is known."""
    checks = getattr(import_module(f"skinfw.plugin_kit.{phase}"), phase)
    with Path(file).open("w", encoding="utf-8") as lines:
        for result in checks(name):
            print(json.dumps(asdict(result)), file=lines, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
