"""Trains one run in a separate process: ``python -m skinfw.cli.worker SPEC FOLDER [--overwrite]``."""

from __future__ import annotations

import sys
from pathlib import Path

from skinfw.models.checkpoint_file import checkpoint_file
from skinfw.system.processes import end_with_input


def main(arguments: list[str]) -> None:
    """Run a spec as ``skinfw run`` does; resume the run in the folder, if any.

    Standard input is a pipe from the parent process; this process ends with it.
    """
    end_with_input()
    spec, folder, *options = arguments
    place = Path(folder)
    began = (place / "log.jsonl").exists() or checkpoint_file(place, "last").exists()
    if began and not options:
        options = ["--resume"]
    from skinfw.cli import main as skinfw

    skinfw(["run", spec, "--output", folder, *options], prog_name="skinfw")


if __name__ == "__main__":
    main(sys.argv[1:])
