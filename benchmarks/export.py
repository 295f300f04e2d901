"""An exported network beside its torch module: seconds per image from 8 bits to 8 bits, one image at a time.

All ways run in one process, one after the other in every round, so that what else the machine does affects
them alike; ratios are those of the medians. Weights are random, which does not change the time.
``python benchmarks/export.py --sizes 256 512 1024 --threads 2``
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from skinfw.assembly.assemble import build_generator
from skinfw.assembly.inputs import input_channels
from skinfw.components.config import GeneratorConfig, SizeRequirement
from skinfw.export.convert import to_onnx
from skinfw.export.graphs import InpaintingGraph, graph_inputs
from skinfw.runtime.onnx_model import FINITE, OUTPUT
from skinfw.runtime.sessions import OnnxRuntimeSession, OpenVinoSession, Session
from skinfw.specs.spec import Spec, parse_spec

INPUTS = ["apparel_head_foot", "line", "segmentation_skin", "face", "mask"]
GENERATORS: dict[str, dict[str, Any]] = {
    "two_stage": {
        "type": "two_stage",
        "coarse": "mean_color",
        "refiner": {"type": "pix2pix", "base_channels": 16, "depth": 4, "condition": "tone"},
    },
    "pix2pix": {"type": "pix2pix", "base_channels": 64, "depth": 6},
    "lama": {"type": "lama", "base_channels": 32},
}
"""The generator of examples/photos.json for half its size, the report's, and one with Fourier layers."""

Way = Callable[[], object]


def folded(module: nn.Module) -> nn.Module:
    """Return a copy in which batch normalizations are part of the convolutions before them."""
    module = deepcopy(module).eval()
    for sequence in [each for each in module.modules() if isinstance(each, nn.Sequential)]:
        layers = list(sequence)
        for index in range(len(layers) - 1):
            first, second = layers[index], layers[index + 1]
            if isinstance(first, nn.Conv2d | nn.ConvTranspose2d) and isinstance(second, nn.BatchNorm2d):
                transposed = isinstance(first, nn.ConvTranspose2d)
                sequence[index] = fuse_conv_bn_eval(first, second, transpose=transposed)
                sequence[index + 1] = nn.Identity()
    return module


def spec_of(generator: Mapping[str, Any], size: tuple[int, int]) -> Spec:
    """Return a spec with a generator."""
    value = {
        "name": "export",
        "data": {"size": size, "inputs": INPUTS},
        "generator": generator,
        "composite": "mask",
        "losses": ["l1"],
        "training": {"epochs": 1},
    }
    spec = parse_spec(value)
    assert isinstance(spec, Spec)
    return spec


def ways(generator: Mapping[str, Any], folder: Path, threads: int) -> dict[str, Callable[[Any], Way]]:
    """Return the ways to paint a batch of images, by name."""
    spec = spec_of(generator, (256, 256))
    network = build_generator(spec).eval()
    names = graph_inputs(spec)
    counts = list(input_channels(spec, names).values())
    config = spec.generator.config
    assert isinstance(config, GeneratorConfig)
    requirement: SizeRequirement = config.size_requirement((256, 256))

    def graph(module: Any) -> InpaintingGraph:
        return InpaintingGraph(module, names, len(names), spec.composite, None).eval()

    model, _ = to_onnx(graph(deepcopy(network)), names, [OUTPUT, FINITE], requirement, (256, 256), counts)
    path = folder / "model.onnx"
    onnx.save(model, path)

    def torch_way(module: InpaintingGraph) -> Callable[[Any], Way]:
        def prepare(images: Any) -> Way:
            given = [torch.from_numpy(image) for image in images]

            def paint() -> object:
                with torch.inference_mode():
                    return module(*given)

            return paint

        return prepare

    def session_way(session: Session) -> Callable[[Any], Way]:
        return lambda images: lambda: session.run(dict(zip(names, images, strict=True)), [OUTPUT, FINITE])

    fast = graph(folded(network)).to(memory_format=torch.channels_last)
    return {
        "eager": torch_way(graph(network)),
        "folded, channels_last": torch_way(fast),
        "ONNX Runtime": session_way(OnnxRuntimeSession(path, threads)),
        "OpenVINO": session_way(OpenVinoSession(path, threads)),
    }


def measure(prepared: Mapping[str, Way], rounds: int) -> dict[str, float]:
    """Return the median seconds of each way."""
    times: dict[str, list[float]] = {name: [] for name in prepared}
    for paint in prepared.values():
        paint()  # warm-up
    for _ in range(rounds):
        for name, paint in prepared.items():
            begin = time.perf_counter()
            paint()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(each) for name, each in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], help="sides in pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=list(GENERATORS), help="which generators")
    parser.add_argument("--generator", type=json.loads, help="JSON of another generator")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = {name: GENERATORS[name] for name in arguments.only}
    if arguments.generator:
        chosen = {str(arguments.generator["type"]): arguments.generator}
    print("| generator | size | way | ms per image | times as fast as eager |")
    print("|---|---|---|---|---|")
    random = np.random.default_rng(0)
    for name, generator in chosen.items():
        with tempfile.TemporaryDirectory() as folder:
            found = ways(generator, Path(folder), arguments.threads)
            for side in arguments.sizes:
                images = [random.integers(0, 256, (1, side, side, 3), np.uint8) for _ in INPUTS]
                seconds = measure({way: made(images) for way, made in found.items()}, arguments.rounds)
                for way, each in seconds.items():
                    ratio = seconds["eager"] / each
                    print(f"| {name} | {side} | {way} | {each * 1000:.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
