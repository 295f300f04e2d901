"""Components that fail, as those of other hands may; processes that are started find them too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SOURCE = '''
import os
import signal
import sys
import time
from pathlib import Path

from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter


class TroubledSegmenter(DeepfashionSegmenter):
    """Reads label maps, and has trouble where a folder's name says so."""

    def segment(self, photo):
        trouble = photo.path.parent.name
        if trouble == "value":
            raise ValueError("operands could not be broadcast")
        if trouble == "memory":
            raise MemoryError("Unable to allocate 40 GiB")
        if trouble == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if trouble == "threads":
            torch = sys.modules.get("torch")
            raise ValueError(f"{os.environ['OMP_NUM_THREADS']} {torch and torch.get_num_threads()}")
        return super().segment(photo)

    def fingerprint(self):
        return os.environ.get("TROUBLED_WEIGHTS", "")


class MeetingSegmenter(TroubledSegmenter):
    """Begins when another process has begun too: one that starts late would find nothing left to do."""

    def segment(self, photo):
        met = Path(os.environ["TROUBLED_MEETING"])
        (met / f"{os.getppid()} {os.getpid()}").touch()
        deadline = time.monotonic() + 300
        while len(list(met.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        return super().segment(photo)


class TorchSegmenter(TroubledSegmenter):
    """The same with torch."""

    def __init__(self, config, io):
        import torch

        torch.set_num_threads(2)
        super().__init__(config, io)


class DiesAtOnce(TroubledSegmenter):
    """Cannot be built in another process."""

    def __init__(self, config, io):
        import multiprocessing

        if multiprocessing.parent_process() is not None:
            os._exit(1)
        super().__init__(config, io)
'''

_ROW = """
[[component]]
kind = "segmenter"
name = "{name}"
target = "skinfw_troubled:{target}"
config = "skinfw_plugins.segmenters.config:DeepfashionConfig"
summary = "For tests."
"""


def install_troubled(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Write the segmenter ``troubled`` and others, ``troubled_...``, and have all processes find them.

    Those that meet note each process, after the one that started it, in the folder ``TROUBLED_MEETING``.
    """
    (folder / "met").mkdir(parents=True)
    (folder / "skinfw_troubled.py").write_text(_SOURCE)
    targets = {
        "troubled": "TroubledSegmenter",
        "troubled_torch": "TorchSegmenter",
        "troubled_start": "DiesAtOnce",
        "troubled_meeting": "MeetingSegmenter",
    }
    rows = "".join(_ROW.format(name=name, target=target) for name, target in targets.items())
    (folder / "manifest.toml").write_text(rows)
    patch.setenv("SKINFW_REGISTRIES", str(folder / "manifest.toml"))
    patch.setenv("TROUBLED_MEETING", str(folder / "met"))
    patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    patch.syspath_prepend(folder)
