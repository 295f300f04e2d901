"""What the processes of an inpainting run agree on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from skinfw.assembly.assemble import build_dataset
from skinfw.data.sample_cache import SampleCache
from skinfw.specs.spec import parse_spec
from skinfw.tasks.inpainting.module import InpaintingModule
from skinfw.training.accelerator import make_accelerator


def test_processes_agree_on_the_shapes_of_all_samples(tiny_spec: Callable[..., dict[str, Any]]) -> None:
    spec = parse_spec(tiny_spec(losses=["l1"], discriminator=None))
    dataset = build_dataset(spec)
    module = InpaintingModule(spec, dataset, make_accelerator(spec.training), SampleCache(0, dataset))
    others: list[Any] = [None, (1.5, 3.0), (1.0, 2.0)]
    alone: Any = SimpleNamespace(exchange=lambda value: [value])
    three: Any = SimpleNamespace(exchange=lambda value: [value, *others])
    module.agree(alone)
    assert module.about() == {}
    module.agree(three)
    assert module.about() == {"aspects": [1.0, 3.0]}
    module.agree(alone)
    assert module.about() == {"aspects": [1.0, 3.0]}
