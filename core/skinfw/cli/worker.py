"""Trains one run in a separate process: ``python -m skinfw.cli.worker SPEC FOLDER [--overwrite]``."""

from __future__ import annotations

import sys
from pathlib import Path

from skinfw.system.processes import end_with_input


def main(arguments: list[str]) -> None:
    """Run a spec as ``skinfw run`` does; go on with what is in the folder.

    The standard input is a pipe of the process that started this one, which ends with it.
    """
    end_with_input()
    spec, folder, *options = arguments
    place = Path(folder)
    began = (place / "log.jsonl").exists() or (place / "checkpoints" / "last.safetensors").exists()
    if began and not options:
        options = ["--resume"]
    from skinfw.cli import main as skinfw

    skinfw(["run", spec, "--output", folder, *options], prog_name="skinfw")


if __name__ == "__main__":
    main(sys.argv[1:])
