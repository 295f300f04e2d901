"""Components that fail, as those of other hands may; processes that are started find them too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import installed

_SOURCE = '''
import os
import signal
import sys
import time

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


class TellsWhere(DeepfashionSegmenter):
    """Tells the process that the worker is a child of, one on each node of a cluster, when two are there."""

    def segment(self, photo):
        met = photo.path.parent.parent
        (met / f"node_{os.getppid()}").touch()
        deadline = time.monotonic() + 60
        # a node that starts late would find nothing left to do
        while len(list(met.glob("node_*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        raise ValueError(f"node of {os.getppid()}")


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


@pytest.fixture
def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ComponentSpec]:
    """A segmenter that has trouble; others, named ``troubled_...``, are there too."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "skinfw_troubled.py").write_text(_SOURCE)
    targets = {
        "troubled": "TroubledSegmenter",
        "troubled_torch": "TorchSegmenter",
        "troubled_start": "DiesAtOnce",
        "troubled_where": "TellsWhere",
    }
    rows = "".join(_ROW.format(name=name, target=target) for name, target in targets.items())
    (folder / "manifest.toml").write_text(rows)
    monkeypatch.setenv("SKINFW_REGISTRIES", str(folder / "manifest.toml"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(folder)
    installed.cache_clear()
    yield use("segmenter", "troubled")
    installed.cache_clear()
