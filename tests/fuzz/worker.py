"""Reads mutated files one after the other; run by `__main__` in a process that may hang, die or be killed.

Started as ``worker.py READER SEED FIRST COUNT FOLDER MEBIBYTES``. Before it reads an input it prints the
input's number, and afterwards what was wrong, as one JSON object a line.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import traceback
from pathlib import Path
from random import Random

import readers

from skinfw.errors import SkinfwError

LONGEST_MESSAGE = 4_000
"""Characters of an error: lines are cut at 1,000, and a spec may have several errors."""

LONGEST_LINE = 1_100


def main(name: str, seed: str, first: int, count: int, folder: Path, mebibytes: int) -> None:
    """Read ``count`` inputs from number ``first`` on, each in an empty folder."""
    reader = readers.READERS[name]
    files = reader.seeds()
    contents = tuple(data for _, data in files)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    # whatever is written to standard output or error is found in the file
    noise = (folder / "noise").open("w+b")
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    # warnings about a file's content go to whoever asked for it; what bypasses logging is noise
    logging.getLogger("skinfw").addHandler(logging.NullHandler())
    place = folder / "input"
    place.mkdir(exist_ok=True)
    os.chdir(place)
    # imports at the first reading are not caused by an input
    path = place / files[0][0]
    path.write_bytes(files[0][1])
    reader.read(path)
    path.unlink()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + mebibytes * 2**20,) * 2)
    for number in range(first, first + count):
        random = Random(f"{seed} {number}")
        file, data = files[random.randrange(len(files))]
        path = place / file
        path.write_bytes(reader.mutate(random, data, contents))
        out.write(json.dumps({"number": number, "file": str(path)}) + "\n")
        noise.seek(0)
        noise.truncate()
        error, where = _error(reader, path)
        noise.seek(0)
        said = noise.read().decode("utf-8", "replace")
        left = sorted(entry.name for entry in place.iterdir() if entry != path)
        if not error and said:
            error, where = f"wrote: {said[:500]}", f"wrote: {said[:60]}"
        if not error and left:
            error, where = f"left behind: {left[:5]}", "left behind"
        if error:
            out.write(
                json.dumps({"number": number, "file": str(path), "error": error, "where": where}) + "\n"
            )
            sys.stdin.readline()  # the input is being kept
        path.unlink(missing_ok=True)
    out.write(json.dumps({"done": True}) + "\n")


def _error(reader: readers.Reader, path: Path) -> tuple[str, str]:
    """Return what was wrong with reading a file, and where, or two empty texts."""
    try:
        reader.read(path)
    except SkinfwError as error:
        text = str(error)
        if not text or len(text) > LONGEST_MESSAGE or max(map(len, text.split("\n"))) > LONGEST_LINE:
            return (
                f"a message of {len(text):,} characters: {text[:300]}",
                f"long message {type(error).__name__}",
            )
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [
            f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames if "skinfw" in frame.filename
        ]
        return (
            "".join(traceback.format_exception(error, limit=-12))[-3000:],
            f"{type(error).__name__} at {ours[-1] if ours else 'the harness'}",
        )
    return "", ""


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]), int(sys.argv[6]))
