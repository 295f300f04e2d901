"""Resident memory of reading the folder data set, at 100 and at 10,000 samples.

The samples are hard links of a few drawn people, so that the disk hardly fills. Each number is measured in a
process of its own: `python benchmarks/dataset_memory.py [FOLDER]`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

COUNTS = (100, 10_000)
SIZE = (128, 64)
PEOPLE = 4
INPUTS = ("apparel_head_foot", "segmentation_skin", "line")


def make_samples(folder: Path, count: int) -> None:
    """Write a few samples and link them as often as it takes."""
    import json

    import cv2
    import numpy as np

    from skinfw.testing import example_dataset_io
    from skinfw_plugins.datasets.config import MannequinsConfig
    from skinfw_plugins.datasets.mannequins import MannequinsDataset

    people = MannequinsDataset(MannequinsConfig(count=PEOPLE), example_dataset_io((256, 128), INPUTS))
    sources = [folder / "0" / name for name in people.names()]
    for source in sources:
        source.mkdir(parents=True)
        sample = people.load(source.name)
        for name in (*INPUTS, "body", "mask"):
            value = sample[name]
            pixels = value * np.uint8(255) if value.dtype == bool else value[..., ::-1]
            cv2.imwrite(str(source / f"{name}.png"), pixels)
        (source / "sample.json").write_text(json.dumps({"files": {}}))
    for index in range(PEOPLE, count):
        target = folder / str(index // 1000) / f"person-{index:06d}"
        target.mkdir(parents=True)
        for path in sources[index % PEOPLE].iterdir():
            os.link(path, target / path.name)


def measure(folder: Path) -> None:
    """Read every sample once; print the resident memory after the first and at the most, in bytes."""
    import psutil

    from skinfw.testing import example_dataset_io
    from skinfw_plugins.datasets.config import FolderConfig
    from skinfw_plugins.datasets.folder import FolderDataset

    dataset = FolderDataset(FolderConfig(root=folder), example_dataset_io(SIZE, INPUTS))
    names = dataset.names()
    dataset.load(names[0])
    process = psutil.Process()
    before = most = process.memory_info().rss
    for index, name in enumerate(names):
        dataset.load(name)
        if index % 50 == 0:
            most = max(most, process.memory_info().rss)
    dataset.fingerprint()
    print(before, max(most, process.memory_info().rss))


def main(root: Path) -> None:
    peaks = []
    for count in COUNTS:
        folder = root / str(count)
        make_samples(folder, count)
        command = [sys.executable, __file__, "--measure", str(folder)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        before, most = (int(value) / 2**20 for value in output.split())
        peaks.append(most)
        print(f"{count:>6} samples: {most:.1f} MiB, {most - before:.1f} MiB above the first sample")
    print(f"{COUNTS[1]} to {COUNTS[0]} samples: {peaks[1] / peaks[0]:.3f} times the memory")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
            main(Path(place))
