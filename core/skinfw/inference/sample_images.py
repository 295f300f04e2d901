"""Inpainting sample folders with an exported file: no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from skinfw.assembly.inputs import dataset_io
from skinfw.components.field_names import APPAREL, MASK
from skinfw.components.trust import named_outside, reject_foreign
from skinfw.data.aspect import reject_other_shape
from skinfw.data.sample_folder import read_sample
from skinfw.data.sample_search import find_samples
from skinfw.errors import DataError
from skinfw.inference.background import over_background
from skinfw.inference.condition import images_of
from skinfw.inference.sample_writing import SampleProblems, painted_of, write_checked
from skinfw.interfaces import DatasetIO
from skinfw.runtime.onnx_model import OnnxModel
from skinfw.specs.spec import Spec, inpainting_spec, parse_spec
from skinfw.system.existing import reject_existing
from skinfw.system.paths_below import path_below


def exported_spec(model: OnnxModel, *, trust: bool = False) -> Spec:
    """Return the spec of the run that a file was exported from.

    Args:
        model: the file.
        trust: allow programs, paths and addresses in its inputs.

    Raises:
        SpecError: it needs a component that is not installed.
        TrustError: an input names programs, paths or addresses.
    """
    value = parse_spec(model.metadata.spec, source=f"{model.path} (its spec)", stored=True)
    spec = inpainting_spec(value, model.path)
    if not trust:
        reject_foreign(named_outside(spec.data.inputs, "$.data.inputs"), str(model.path))
    return spec


def sample_io(model: OnnxModel, *, trust: bool = False) -> DatasetIO:
    """Return what a sample needs for a file: its size and its inputs, as configured in training.

    Raises:
        SkinfwError: as `exported_spec`.
    """
    return dataset_io(exported_spec(model, trust=trust), ())


def paint_samples(
    model: OnnxModel,
    samples: str | Path,
    output: str | Path,
    *,
    overwrite: bool = False,
    on_error: Literal["skip", "fail"] = "skip",
    trust: bool = False,
) -> list[Path]:
    """Inpaint sample folders with an exported file; write each as ``<output>/<name>.png`` at its size.

    Args:
        model: the exported file.
        samples: one sample folder, a folder of them at any depth, or a glob; ``body`` is not needed.
        output: folder of the written images.
        overwrite: replace existing images.
        on_error: skip unusable samples and list them at the end, or stop at the first.
        trust: allow programs, paths and addresses in the file's spec.

    Returns:
        the written images, sorted by name.

    Raises:
        RunError: an image already exists.
        DataError: no sample was found, or some were unusable and all others were written. Or none had
            anything to inpaint, and the written files are copies of the inputs.
        SkinfwError: the network changed pixels outside the mask; that image was not written.
    """
    base, names = find_samples(Path(samples).absolute())
    targets = {name: path_below(Path(output), f"{name}.png") for name in sorted(names)}
    reject_existing(targets.values(), overwrite=overwrite)
    spec = exported_spec(model, trust=trust)
    io, aspect = dataset_io(spec, ()), model.preparation.aspect
    aspects = model.metadata.aspects or (aspect, aspect)
    problems = SampleProblems(on_error)
    written: list[Path] = []
    for name, path in targets.items():
        try:
            sample = read_sample(base / name, name, io, needs_target=False)
            reject_other_shape(sample.source_size, aspects, model.size, base / name)
        except DataError as error:
            problems.skip(error)
            continue
        problems.check(spec.composite, sample)
        image = model(images_of(sample, model.inputs))
        if model.metadata.alpha:
            image = over_background(image, sample[APPAREL], sample[MASK])
        write_checked(path, image, sample[APPAREL], painted_of(spec.composite, sample))
        written.append(path)
    problems.tell(spec.composite, len(written), Path(output))
    return written
