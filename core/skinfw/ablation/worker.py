"""One run in a process of its own: ``python -m skinfw.ablation.worker SPEC FOLDER [--overwrite]``."""

from __future__ import annotations

import sys
from pathlib import Path

from filelock import FileLock


def main(arguments: list[str]) -> None:
    """Run a spec as ``skinfw run`` does; go on with what is in the folder.

    A process that outlived the ablation that started it may still be at work there: it is waited for.
    """
    spec, folder, *options = arguments
    place = Path(folder)
    with FileLock(place.with_name(f".{place.name}.lock")):
        began = (place / "log.jsonl").exists() or (place / "checkpoints" / "last.safetensors").exists()
        if began and not options:
            options = ["--resume"]
        from skinfw.cli import main as skinfw

        skinfw(["run", spec, "--output", folder, *options], prog_name="skinfw")


if __name__ == "__main__":
    main(sys.argv[1:])
