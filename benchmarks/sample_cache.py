"""What the cache of decoded samples costs in the first epoch and saves in the next, and its memory.

Reads sample folders of drawn people of 256x128 at 128x64: directly, with an empty cache and with a full one,
in turn, with collation, in CPU time of one process. Then reads 100 and 10,000 different cached samples, each
in a separate process: `python benchmarks/sample_cache.py [FOLDER]`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SIZE = (128, 64)
PEOPLE = 200
CHUNK = 40
ROUNDS = 7
INPUTS = ("apparel_head_foot", "line", "segmentation_skin", "mask")
COUNTS = (100, 10_000)


def write_people(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write drawn people as sample folders."""
    import cv2
    import numpy as np

    from skinfw.testing import example_dataset_io
    from skinfw_plugins.datasets.config import MannequinsConfig
    from skinfw_plugins.datasets.mannequins import MannequinsDataset

    people = MannequinsDataset(MannequinsConfig(count=count), example_dataset_io(size, INPUTS))
    for name in people.names():
        sample = people.load(name)
        (folder / name).mkdir(parents=True)
        for part in (*INPUTS, "body"):
            value = sample[part]
            pixels = value * np.uint8(255) if value.dtype == bool else value[..., ::-1]
            cv2.imwrite(str(folder / name / f"{part}.png"), pixels)


def measure_speed(root: Path) -> None:
    """Print the CPU time per sample of the three ways, and their ratios within each round."""
    import cv2
    import torch

    from skinfw.data.loading import Loader
    from skinfw.data.sample_cache import SampleCache
    from skinfw.system.memory import keep_freed_memory
    from skinfw.testing import example_dataset_io
    from skinfw_plugins.datasets.config import FolderConfig
    from skinfw_plugins.datasets.folder import FolderDataset

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()
    write_people(root / "people", PEOPLE, (256, 128))
    dataset = FolderDataset(FolderConfig(root=root / "people"), example_dataset_io(SIZE, INPUTS))
    names = dataset.names()

    def seconds(source: Any, chosen: Sequence[str]) -> float:
        began = time.process_time()
        for _ in Loader(source, chosen, batch_size=8):
            pass
        return time.process_time() - began

    chunks = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    seconds(dataset, names)
    found: dict[str, list[float]] = {"directly": [], "empty cache": [], "full cache": []}
    for turn in range(ROUNDS):
        os.environ["SKINFW_CACHE"] = str(root / f"cache-{turn}")
        cached = SampleCache(1000, dataset).reading(dataset)
        ways = [("directly", dataset), ("empty cache", cached), ("full cache", cached)]
        spent = dict.fromkeys(found, 0.0)
        for index, chunk in enumerate(chunks):  # in turn, as the speed of a busy machine varies
            for way, source in ways if index % 2 else [*ways[1:], ways[0]]:
                spent[way] += seconds(source, chunk)
        for way in found:
            found[way].append(spent[way] / len(names))
    for way, times in found.items():
        median = statistics.median(times)
        print(f"{way}: {median * 1e3:.2f} ms of CPU time per sample, {1 / median:,.0f} samples per second")
    pairs = zip(found["empty cache"], found["directly"], strict=True)
    print(f"empty cache compared with directly: {statistics.median(a / b for a, b in pairs):.3f}")


class Noise:
    """Gives random samples of 128x64, all different."""

    def load(self, name: str) -> Any:
        """Draw one."""
        import numpy as np

        from skinfw.data.field_types import Field
        from skinfw.data.pixel_types import ImageType, MaskType
        from skinfw.data.sample import Sample

        random = np.random.default_rng(int(name))
        images = {part: random.integers(0, 256, (*SIZE, 3), np.uint8) for part in ("apparel", "body", "line")}
        masks = {part: random.random(SIZE) < 0.5 for part in ("keep", "mask", "skin")}
        fields = {part: Field(ImageType(), image) for part, image in images.items()}
        return Sample(name, fields | {part: Field(MaskType(), mask) for part, mask in masks.items()})

    def settings(self) -> Mapping[str, Any]:
        """Nothing else matters."""
        return {"size": list(SIZE)}

    def fingerprint(self) -> str:
        """The names are the content."""
        return ""

    def sample_fingerprints(self) -> Mapping[str, str]:
        """Return nothing, so that the names count."""
        return {}

    def unchanged(self, name: str) -> bool:
        """Nothing changes."""
        return True


def measure_memory(count: int) -> None:
    """Read cached samples twice; print the resident memory after the first and at the most, in bytes."""
    import psutil

    from skinfw.data.loading import Loader
    from skinfw.data.sample_cache import SampleCache

    source = SampleCache(10_000, Noise()).reading(Noise())
    names = [str(index) for index in range(count)]
    process, peaks = psutil.Process(), []
    for _ in range(2):
        for index, _batch in enumerate(Loader(source, names, batch_size=8)):
            if index % 10 == 0:
                peaks.append(process.memory_info().rss)
    print(peaks[0], max(peaks))


def main(root: Path) -> None:
    """Measure speed, then memory."""
    measure_speed(root)
    most = []
    for count in COUNTS:
        environment = {**os.environ, "SKINFW_CACHE": str(root / f"noise-{count}")}
        command = [sys.executable, __file__, "--memory", str(count)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        before, peak = (int(value) / 2**20 for value in done.stdout.split())
        most.append(peak)
        print(f"{count:>6} samples: {peak:.1f} MiB, {peak - before:.1f} MiB above the first batch")
    print(f"{COUNTS[1]} to {COUNTS[0]} samples: {most[1] / most[0]:.3f} times the memory")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        measure_memory(int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
            main(Path(place))
