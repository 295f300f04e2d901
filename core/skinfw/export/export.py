"""Exporting a run: checkpoint in, checked ONNX file out."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from skinfw.assembly.inputs import input_channels
from skinfw.components.config import GeneratorConfig, SegmentationNetworkConfig, Size, SizeRequirement
from skinfw.components.field_names import IMAGE
from skinfw.components.relocate import spec_for_others
from skinfw.components.trust import connections
from skinfw.components.weights import file_sha256
from skinfw.data.aspect import read_aspects
from skinfw.data.pixel_types import MaskType
from skinfw.data.sample import Sample
from skinfw.errors import RunError, UserError
from skinfw.export import paint_script
from skinfw.export.convert import Sizes, require_exporter, to_onnx
from skinfw.export.graphs import InpaintingGraph, ParserGraph, graph_inputs, noise_fits_any_size
from skinfw.export.int8 import quantized
from skinfw.export.onnx_file import write_model
from skinfw.export.parity import compare_inpainting, compare_parser, label_map, reject_difference
from skinfw.export.samples import MAX_OTHER, Samples, readable, samples_of
from skinfw.inference.checkpoint_model import preparation_of
from skinfw.inference.noise import fixed_noise
from skinfw.licenses.ledger import Ledger
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import Checkpoint, reject_untrusted
from skinfw.runs.environment import versions
from skinfw.runs.folder import Run
from skinfw.runs.ledger import ledger_for_others, ledger_of, ledger_of_run
from skinfw.runs.trained import Trained, checkpoint_of
from skinfw.runtime.metadata import (
    ModelInput,
    ModelMetadata,
    Parity,
    ParserClasses,
    Precision,
)
from skinfw.runtime.onnx_model import FINITE, OUTPUT, OnnxModel
from skinfw.runtime.sessions import OnnxRuntimeSession, default_threads
from skinfw.specs.compatibility import gives_alpha
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import Spec
from skinfw.system.existing import reject_existing
from skinfw.system.json_file import replacing, write_text
from skinfw.tasks.segmentation.label import load_network

LOGITS = "logits"
"""A parser's output: float32 ``(N, classes, H, W)``."""

SCRIPT = "paint.py"
"""The script that is written beside the file."""

_DTYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "int8": torch.float32,
}
_PENDING = Parity(samples=0, sizes=(), different=0.0)
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Exported:
    """A written file.

    Attributes:
        path: the file.
        metadata: what it says about itself.
        cost: what its precision costs against the ground truth, as a sentence; empty if unknown.
        script: the script beside it, or None.
    """

    path: Path
    metadata: ModelMetadata
    cost: str
    script: Path | None


def export_run(
    run: Trained,
    output: str | Path,
    *,
    which: Literal["best", "last"] = "best",
    precision: Precision = "float32",
    samples: str | Path | None = None,
    license_note: str | None = None,
    script: bool = True,
    overwrite: bool = False,
) -> Exported:
    """Export the network of a run as one ONNX file, after comparing it with the checkpoint on test samples.

    Images go in and out in 8 bits, ``(N, H, W, C)``; scaling, the tone of the skin, noise and the composite
    are part of the graph. Its height and width are free within what the network accepts. Of paths and
    addresses in the spec, the file has only the last part.

    Args:
        run: the trained run, for inpainting or segmentation, or a checkpoint.
        output: the file to write.
        which: the best or the last checkpoint of a run.
        precision: float32; float16 for GPUs, with half the size; or int8 convolutions for CPUs.
        samples: sample folders, or photos for a parser, to compare on; None for the test samples of the run.
        license_note: what users of the file must know about its license; None for the verdict of the ledger.
        script: whether to write ``paint.py`` beside the file of an inpainting run.
        overwrite: replace existing files.

    Raises:
        UserError: a package is missing, the file's name has another suffix, or no graph can compute what the
            generator does.
        RunError: a file to be written exists, the run has no readable checkpoint, or torch cannot export the
            network.
        DataError: no sample can be read.
        SkinfwError: the exported network differs too much from the checkpoint; nothing was written.
    """
    output = Path(output)
    target = output.with_name(SCRIPT) if script and not isinstance(run.spec, SegmentationSpec) else None
    _check_paths(output, target, overwrite)
    require_exporter()
    checkpoint = checkpoint_of(run, which)
    _reject_unfit(checkpoint)
    if samples is None:
        reject_untrusted(checkpoint)
    ledger = ledger_for_others(
        ledger_of_run(run, checkpoint)
        if isinstance(run, Run)
        else ledger_of(checkpoint.spec, data_sha256=checkpoint.progress.data, read=checkpoint.trusted)
    )
    with connections(checkpoint.trusted):
        source = samples_of(run, checkpoint.spec, None if samples is None else Path(samples))
        export = _parser if isinstance(checkpoint.spec, SegmentationSpec) else _inpainting
        with replacing(output) as temporary:
            metadata, cost = export(checkpoint, source, temporary, precision, license_note, ledger)
    if target is not None:
        write_text(target, _script())
    return Exported(output, metadata, cost, target)


def _script() -> str:
    return Path(str(paint_script.__file__)).read_text(encoding="utf-8")


def _reject_unfit(checkpoint: Checkpoint) -> None:
    spec = checkpoint.spec
    config = None if isinstance(spec, SegmentationSpec) else spec.generator.config
    if isinstance(config, GeneratorConfig) and (error := config.export_error):
        raise UserError(f"{checkpoint.path}: {error}")


def _check_paths(output: Path, script: Path | None, overwrite: bool) -> None:
    if output.suffix != ".onnx":
        raise UserError(f"{output}: an exported file ends in .onnx; name it so")
    reject_existing([output], overwrite=overwrite)
    if not overwrite and script is not None and script.exists() and script.read_bytes() != _script().encode():
        raise RunError(
            f"{script}: was not written by this version of skinfw; replace it with --overwrite (in Python: "
            "overwrite=True), or write no script with --no-script (script=False)"
        )


def _inpainting(
    checkpoint: Checkpoint,
    source: Samples,
    path: Path,
    precision: Precision,
    license_note: str | None,
    ledger: Ledger,
) -> tuple[ModelMetadata, str]:
    """Write an inpainting run's graph to a path. See `export_run`."""
    spec = checkpoint.spec
    assert isinstance(spec, Spec)
    size = spec.data.size
    samples = readable(source, source.test, size)
    generator = load_generator(checkpoint, _CPU)
    noise = fixed_noise(generator, size, spec.seed)
    names = graph_inputs(spec)
    channels = input_channels(spec, spec.data.input_names)
    counts = [channels.get(name, 3) for name in names]
    seen = len(spec.data.input_names)
    graph = InpaintingGraph(deepcopy(generator), names, seen, spec.composite, noise, _DTYPES[precision])
    config = spec.generator.config
    requirement = config.size_requirement(size) if isinstance(config, GeneratorConfig) else SizeRequirement()
    free = noise is None or noise_fits_any_size(generator, size)
    model, sizes = to_onnx(
        graph, names, [OUTPUT, FINITE], requirement, size, counts, pads_to=generator.pads_to, free=free
    )
    if precision == "int8":
        shown = readable(source, source.calibration, size)
        model = quantized(
            model,
            [{name: each.fields[name].type.pixels(each[name])[None] for name in names} for each in shown],
        )
    metadata = ModelMetadata(
        task="inpainting",
        inputs=tuple(
            ModelInput(name=name, channels=count, mask=isinstance(samples[0].fields[name].type, MaskType))
            for name, count in zip(names, counts, strict=True)
        ),
        composite=spec.composite,
        alpha=gives_alpha(spec.generator),
        seed=None if noise is None else spec.seed,
        preparation=preparation_of(spec, checkpoint.about),
        aspects=read_aspects(checkpoint.about.get("aspects"), size),
        classes=None,
        **_common(checkpoint, sizes, precision, license_note, ledger),
    )
    write_model(model, metadata, path)
    samples += _at_other_sizes(source, sizes, size)
    compared = compare_inpainting(OnnxModel(path), generator, spec, noise, samples)
    metadata = metadata.model_copy(update={"parity": compared.parity()})
    reject_difference(metadata.parity, precision)
    write_model(model, metadata, path)
    return metadata, compared.cost()


def _parser(
    checkpoint: Checkpoint,
    source: Samples,
    path: Path,
    precision: Precision,
    license_note: str | None,
    ledger: Ledger,
) -> tuple[ModelMetadata, str]:
    """Write a segmentation run's graph to a path. See `export_run`."""
    spec = checkpoint.spec
    assert isinstance(spec, SegmentationSpec)
    size = spec.data.size
    samples = readable(source, source.test, size)
    network, classes = load_network(checkpoint, _CPU)
    config = spec.network.config
    requirement = (
        config.size_requirement(size) if isinstance(config, SegmentationNetworkConfig) else SizeRequirement()
    )
    graph = ParserGraph(deepcopy(network), _DTYPES[precision])
    model, sizes = to_onnx(graph, [IMAGE], [LOGITS], requirement, size, [3], pads_to=network.pads_to)
    if precision == "int8":
        shown = readable(source, source.calibration, size)
        model = quantized(model, [{IMAGE: each[IMAGE][None]} for each in shown])
    metadata = ModelMetadata(
        task="segmentation",
        inputs=(ModelInput(name=IMAGE, channels=3),),
        composite=None,
        alpha=False,
        seed=None,
        preparation=None,
        classes=ParserClasses(
            names=classes.names, regions={region: names for region, names in classes.regions.items()}
        ),
        person_margin=spec.data.person_margin,
        **_common(checkpoint, sizes, precision, license_note, ledger),
    )
    write_model(model, metadata, path)
    session = OnnxRuntimeSession(path, default_threads())
    samples += _at_other_sizes(source, sizes, size)
    found = [label_map(session.run({IMAGE: each[IMAGE][None]}, [LOGITS])[0]) for each in samples]
    metadata = metadata.model_copy(update={"parity": compare_parser(found, network, samples)})
    reject_difference(metadata.parity, precision)
    write_model(model, metadata, path)
    return metadata, ""


def _at_other_sizes(source: Samples, sizes: Sizes, size: Size) -> list[Sample]:
    """Return some test samples at sizes besides the training size."""
    names = source.test[:MAX_OTHER]
    return [sample for each in sizes.others(size) for sample in readable(source, names, each)]


def _common(
    checkpoint: Checkpoint, sizes: Sizes, precision: Precision, license_note: str | None, ledger: Ledger
) -> dict[str, Any]:
    spec = checkpoint.spec
    return {
        "size": spec.data.size,
        "multiple": sizes.multiple,
        "minimum": sizes.minimum,
        "fixed": sizes.exactly is not None,
        "precision": precision,
        "spec": spec_for_others(spec.to_json()),
        "checkpoint_sha256": file_sha256(checkpoint.path),
        "skinfw": versions().get("skinfw", ""),
        "license": license_note or ledger.summary,
        "ledger": ledger,
        "parity": _PENDING,
    }
