"""The samples of a split as plain images, so that any other system can inpaint them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from torch import Tensor

from skinfw.assembly.assemble import build_dataset
from skinfw.components.field_names import BODY, MASK
from skinfw.components.trust import connections, named_outside, reject_foreign
from skinfw.data.batch import Batch
from skinfw.data.loading import Loader
from skinfw.errors import DataError, RunError
from skinfw.evaluation.covered import covered
from skinfw.inference.composite import COMPOSITE_FIELDS, composite_mask, to_uint8
from skinfw.runs.folder import Run, open_run, started_here
from skinfw.runs.split_record import make_split, split_of_run
from skinfw.specs.spec import Spec, inpainting_spec, load_spec
from skinfw.system.json_file import replacing, write_json
from skinfw.system.leftovers import replacing_folder
from skinfw.system.paths_below import path_below

SplitName = Literal["test", "validation", "train"]

RECORD = "benchmark.json"
"""What the images are, in the output folder."""

COMPOSITE_MASK = "composite_mask"
"""The folder of the composite's mask if the network sees another one as ``mask``."""

_SHOWABLE = (1, 3)
"""Channels of an image file."""


@dataclass(frozen=True)
class WrittenBenchmark:
    """What was written.

    Attributes:
        folders: the folders of images, by what they show.
        names: the samples.
    """

    folders: tuple[str, ...]
    names: tuple[str, ...]


def write_benchmark(
    source: Path,
    output: Path,
    *,
    split: SplitName = "test",
    height: int | None = None,
    targets: bool = False,
    trust: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> WrittenBenchmark:
    """Write the inputs and masks of a split's samples as ``<output>/<input>/<sample>.png``.

    They are those of an evaluation: the network's inputs, and what the composite uses besides. ``mask`` is
    white where an evaluation takes a system's pixels, which the composite decides. If the network sees
    ``mask`` and the composite uses another region, ``mask`` is what the network sees, and ``composite_mask``
    the composite's. Inputs that are not images, such as heat maps, are left out.

    Args:
        source: a run folder, whose recorded split counts, or a spec.
        output: the folder, which must not exist; it appears when everything is written.
        split: which samples.
        height: height in pixels, in the aspect ratio of training; None for the size of training.
        targets: write the true images too.
        trust: allow the programs, paths and addresses in the spec of a run that somebody else trained.
        progress: called with the number of finished samples and the total.

    Raises:
        RunError: the folder exists or cannot be written, or the run is not for inpainting.
        DataError: no sample can be read; or, unless the spec skips such samples, one cannot.
        TrustError: somebody else trained the run, and its data are elsewhere.
    """
    if output.exists():
        raise RunError(f"{output}: already exists; choose another folder, or remove it")
    spec, run, trusted = _opened(source, trust=trust)
    with connections(trusted):
        names = _names(source, spec, run, split)
        if height is not None:
            size = height, max(1, round(height * spec.data.size[1] / spec.data.size[0]))
            spec = spec.model_copy(update={"data": spec.data.model_copy(update={"size": size})})
        loader = Loader(
            build_dataset(spec, [MASK]),
            names,
            batch_size=spec.training.eval_batch_size,
            skip_corrupt=spec.data.on_corrupt == "skip",
        )
        written: list[str] = []
        with replacing_folder(output) as folder:
            for batch in covered(loader, spec):
                fields = _fields(batch, spec, targets=targets)
                for field, images in fields.items():
                    _save(images, batch, folder, field)
                written += batch.names
                if progress is not None:
                    progress(len(written), len(names))
            if not written:
                raise DataError(f"{source}: none of its {len(names)} samples can be read")
            about = {
                "source": str(source.absolute()),
                "split": split,
                "size": list(spec.data.size),
                "composite": spec.composite,
                "folders": list(fields),
                "mask": mask_folder(spec),
                "names": written,
            }
            write_json(folder / RECORD, about)
    return WrittenBenchmark(tuple(fields), tuple(written))


def _opened(source: Path, *, trust: bool) -> tuple[Spec, Run | None, bool]:
    """Return a spec, the run that it was read from, and whether its data may open connections."""
    if source.is_file():
        return inpainting_spec(load_spec(source), source), None, True
    run = open_run(source, trust=trust)
    trusted = trust or started_here(run)
    if not trusted:
        reject_foreign(named_outside(run.spec.data, "$.data"), str(run.spec_path))
    return inpainting_spec(run.spec, source), run, trusted


def _names(source: Path, spec: Spec, run: Run | None, split: SplitName) -> tuple[str, ...]:
    dataset = build_dataset(spec)
    found = make_split(dataset, spec.data) if run is None else split_of_run(run, dataset)
    names: tuple[str, ...] = getattr(found, split)
    if not names:
        raise DataError(f"{source}: its {split} split has no samples; choose another one")
    return names


def _fields(batch: Batch, spec: Spec, *, targets: bool) -> Mapping[str, Tensor]:
    """Return the images of a batch by what they show, each ``(B, 1 or 3, H, W)``."""
    used = COMPOSITE_FIELDS[spec.composite]  # an exported network needs it too
    names = dict.fromkeys([*spec.data.input_names, *([used] if used else [])])
    inputs = {name: batch[name] for name in names if batch[name].shape[1] in _SHOWABLE}
    mask = {mask_folder(spec): composite_mask(spec.composite, batch)}
    return {**inputs, **mask, **({BODY: batch[BODY]} if targets else {})}


def mask_folder(spec: Spec) -> str:
    """Return the folder that is white where a system must paint; ``mask`` can be what the network sees."""
    sees_other = MASK in spec.data.input_names and COMPOSITE_FIELDS[spec.composite] != MASK
    return COMPOSITE_MASK if sees_other else MASK


def _save(images: Tensor, batch: Batch, folder: Path, field: str) -> None:
    for name, image in zip(batch.names, to_uint8(images), strict=True):
        with replacing(path_below(folder, f"{field}/{name}.png")) as path:
            Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(path, format="PNG")
