"""The samples of a split as plain images, so that any other system can inpaint them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image

from skinfw.assembly.assemble import build_dataset
from skinfw.components.config import Size
from skinfw.components.field_names import BODY, MASK
from skinfw.components.trust import connections, named_outside, reject_foreign
from skinfw.data.sample import Sample
from skinfw.errors import DataError, RunError, listed
from skinfw.runs.folder import open_run, started_here
from skinfw.runs.split_record import make_split, split_of_run
from skinfw.specs.spec import Spec, inpainting_spec, load_spec
from skinfw.system.json_file import replacing, write_json
from skinfw.system.paths_below import path_below

SplitName = Literal["test", "validation", "train"]

RECORD = "benchmark.json"
"""What the images are, in the output folder; written last."""

_SHOWN = 10


@dataclass(frozen=True)
class WrittenBenchmark:
    """What was written.

    Attributes:
        folders: the folders of images, by what they show.
        names: the samples.
        failed: why others could not be read.
    """

    folders: tuple[str, ...]
    names: tuple[str, ...]
    failed: tuple[str, ...]


def write_benchmark(
    source: Path,
    output: Path,
    *,
    split: SplitName = "test",
    size: Size | None = None,
    targets: bool = False,
    trust: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> WrittenBenchmark:
    """Write the inputs and masks of a split's samples as ``<output>/<input>/<sample>.png``.

    Args:
        source: a run folder, whose recorded split counts, or a spec.
        output: the folder; it must be empty or missing.
        split: which samples.
        size: height and width in pixels; None for the size of training.
        targets: write the true images too.
        trust: allow the programs, paths and addresses in the spec of a run that somebody else trained.
        progress: called with the number of finished samples and the total.

    Raises:
        RunError: the folder is not empty or cannot be written, or the run is not for inpainting.
        DataError: no sample can be read; or, unless the spec skips such samples, one cannot.
        TrustError: somebody else trained the run, and its data are elsewhere.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise RunError(f"{output}: is not empty; choose another folder, or empty it")
    spec, names = _split(source, split, trust=trust)
    if size is not None:
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"size": size})})
    dataset = build_dataset(spec, [MASK])
    folders = tuple(dict.fromkeys([*spec.data.input_names, MASK, *([BODY] if targets else [])]))
    written: list[str] = []
    failed: list[str] = []
    for name in names:
        try:
            sample = dataset.load(name)
        except DataError as error:
            if spec.data.on_corrupt != "skip":
                raise
            failed.append(str(error))
            continue
        for folder in folders:
            _save(sample, folder, path_below(output, f"{folder}/{name}.png"))
        written.append(name)
        if progress is not None:
            progress(len(written) + len(failed), len(names))
    if not written:
        raise DataError(f"{source}: none of its {len(names)} samples can be read: {listed(failed, _SHOWN)}")
    about = {
        "source": str(source),
        "split": split,
        "size": list(spec.data.size),
        "folders": list(folders),
        "names": written,
    }
    write_json(output / RECORD, about)
    return WrittenBenchmark(folders, tuple(written), tuple(failed))


def _split(source: Path, split: SplitName, *, trust: bool) -> tuple[Spec, tuple[str, ...]]:
    if source.is_file():
        spec = inpainting_spec(load_spec(source), source)
        found = make_split(build_dataset(spec), spec.data)
    else:
        run = open_run(source, trust=trust)
        spec = inpainting_spec(run.spec, source)
        if not trust and not started_here(run):
            reject_foreign(named_outside(spec.data, "$.data"), str(run.spec_path))
        with connections(trust or started_here(run)):
            found = split_of_run(run, build_dataset(spec))
    assert split in get_args(SplitName)
    names: tuple[str, ...] = getattr(found, split)
    if not names:
        raise DataError(f"{source}: its {split} split has no samples; choose another one")
    return spec, names


def _save(sample: Sample, field: str, path: Path) -> None:
    pixels = sample.fields[field].type.pixels(sample[field])
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")
