"""Fuzz the readers of files: ``python tests/fuzz READER ... --seconds 600 --seed 0``.

Valid little files are mutated, and each is read in a process with limits of time and memory. A reader returns
something well-formed or raises a `SkinfwError` with a short message; everything else is a crash: another
exception, output of native code, a hang, too much memory, a process that died, files left behind. Crashes are
counted once for each place in the code, and the first input of each is kept beside the report. An input
follows from the seed and its number alone, so that it can be made again.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = (
    "photo", "mask", "cutout", "label_map", "parsing", "pose", "points", "json", "spec", "ablation", "report",
    "photo_list", "archive", "checkpoint", "registry", "excluded", "log", "record",
    "shard_index",
)  # fmt: skip
BATCH = 20_000
"""Inputs that a process reads before a fresh one takes over."""


class Fuzzer:
    """Reads mutated inputs of one reader until its time is over, and gathers what crashes.

    Args:
        name: the reader.
        seed: gives the inputs.
        save: where the inputs that crash are kept.
        patience: seconds that one input may take.
        mebibytes: memory that a process may take beyond what it starts with.
    """

    def __init__(self, name: str, seed: str, save: Path, patience: float, mebibytes: int) -> None:
        self.name, self.seed, self.save = name, seed, save
        self.patience, self.mebibytes = patience, mebibytes
        self.crashes: dict[str, dict[str, Any]] = {}
        self.inputs = 0

    def run(self, first: int, seconds: float, inputs: int | None) -> None:
        """Read inputs from number ``first`` on, for so many seconds or inputs, whichever ends first."""
        end = time.monotonic() + seconds
        last = None if inputs is None else first + inputs
        number = first
        while time.monotonic() < end and (last is None or number < last):
            count = BATCH if last is None else min(BATCH, last - number)
            number = self._batch(number, count, end)
            self.inputs = number - first

    def _batch(self, first: int, count: int, end: float) -> int:
        """Read inputs in one process; returns the number of the next one."""
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            command = [
                sys.executable, str(HERE / "worker.py"), self.name, self.seed, str(first), str(count), folder,
                str(self.mebibytes),
            ]  # fmt: skip
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "SKINFW_NO_PLUGINS": "1"}
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            assert process.stdin is not None and process.stdout is not None
            lines: queue.Queue[str] = queue.Queue()
            stream = process.stdout
            threading.Thread(target=lambda: [*map(lines.put, stream), lines.put("")], daemon=True).start()
            number, file = first - 1, ""
            try:
                while time.monotonic() < end:
                    # the first input comes after all imports
                    line = lines.get(timeout=self.patience if file else 120)
                    if not line:
                        process.wait()
                        if not file:
                            noise = (Path(folder) / "noise").read_text(errors="replace")
                            raise RuntimeError(f"the worker did not start: {noise[-2000:]}")
                        return self._lost(
                            number, file, folder, f"the process ended with {process.returncode}"
                        )
                    told = json.loads(line)
                    if "done" in told:
                        return first + count
                    number, file = told["number"], told["file"]
                    if "error" in told:
                        self._keep(number, file, told["error"], told["where"])
                        process.stdin.write("\n")
                        process.stdin.flush()
            except queue.Empty:
                return self._lost(number, file, folder, f"took longer than {self.patience:g} seconds")
            finally:
                process.kill()
                process.wait()
            return number + 1

    def _lost(self, number: int, file: str, folder: str, error: str) -> int:
        noise = (Path(folder) / "noise").read_text(errors="replace")[-1000:]
        self._keep(number, file, f"{error}: {noise}", error)
        return number + 1

    def _keep(self, number: int, file: str, error: str, where: str) -> None:
        crash = self.crashes.setdefault(where, {"count": 0, "number": number, "error": error, "input": ""})
        crash["count"] += 1
        if crash["count"] == 1 and Path(file).is_file():
            self.save.mkdir(parents=True, exist_ok=True)
            kept = self.save / f"{self.name}-{self.seed}-{number}{Path(file).suffix}"
            shutil.copyfile(file, kept)
            crash["input"] = str(kept)


def main() -> int:
    """Fuzz, print a report as JSON, and return 1 where anything crashed."""
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=str(__doc__).partition("\n\n")[0])
    parser.add_argument("readers", nargs="+", metavar="READER", help=f"all, or any of {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=float, default=60, help="time for each reader, in seconds")
    parser.add_argument("--inputs", type=int, help="stop each reader after so many inputs")
    parser.add_argument("--seed", default="0", help="another seed gives other inputs")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--save", type=Path, default=Path("fuzz"), help="folder for inputs that crash")
    parser.add_argument("--patience", type=float, default=60, help="seconds that one input may take")
    parser.add_argument("--memory", type=int, default=3072, help="mebibytes that reading may take")
    arguments = parser.parse_args()
    names = NAMES if arguments.readers == ["all"] else arguments.readers
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no reader {', '.join(unknown)}; there are {', '.join(NAMES)}")
    report = {}
    for name in names:
        fuzzer = Fuzzer(name, arguments.seed, arguments.save, arguments.patience, arguments.memory)
        fuzzer.run(arguments.first, arguments.seconds, arguments.inputs)
        report[name] = {"inputs": fuzzer.inputs, "crashes": fuzzer.crashes}
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return int(any(each["crashes"] for each in report.values()))


if __name__ == "__main__":
    sys.exit(main())
