from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import skinfw
from skinfw.assembly.assemble import (
    build_dataset,
    build_discriminator,
    build_generator,
    build_training_dataset,
)
from skinfw.assembly.inputs import input_channels
from skinfw.components.measured_region import known_regions, region_field
from skinfw.components.registry import installed, load_registry
from skinfw.data.batch import collate
from skinfw.errors import SpecError
from skinfw.interfaces import GeneratorIO
from skinfw.specs.spec import Spec, parse_spec


def test_channels_of_the_inputs(tiny_spec: Any) -> None:
    spec = parse_spec(tiny_spec())
    assert isinstance(spec, Spec)
    names = ["apparel_head_foot", "line", "segmentation_skin", "mask", "face", "arms", "hands", "heatmaps"]
    channels = input_channels(spec, names)
    assert list(channels) == names
    assert set(names) <= set(installed().names("input"))
    assert channels.pop("heatmaps") == 25
    assert set(channels.values()) == {3}


def test_a_condition_with_heat_maps_is_told_apart() -> None:
    io = GeneratorIO((32, 32), {"apparel_head_foot": 3, "heatmaps": 25, "segmentation_skin": 3})
    assert io.condition_channels == 31
    places = [io.channels_of(name) for name in io.inputs]
    assert places == [slice(0, 3), slice(3, 28), slice(28, 31)]
    with pytest.raises(ValueError, match="line"):
        io.channels_of("line")


@pytest.mark.parametrize("generator", ["pix2pix", "gated_unet"])
def test_networks_see_all_channels(tiny_spec: Any, generator: str) -> None:
    value = tiny_spec(generator={"type": generator, "base_channels": 4})
    value["data"]["inputs"] = ["apparel_head_foot", "heatmaps", "segmentation_skin"]
    spec = parse_spec(value)
    dataset = build_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()[:2]])
    condition = batch.condition(spec.data.input_names)
    assert condition.shape == (2, 31, 32, 32) and condition.min() >= 0 and condition.max() == 1
    assert build_generator(spec).eval()(condition).shape == (2, 3, 32, 32)
    discriminator = build_discriminator(spec)
    assert discriminator is not None and discriminator.io.condition_channels == 31
    assert torch.isfinite(discriminator(batch["body"], condition).logits[0]).all()


@pytest.mark.parametrize("inputs", [["apparel_head_foot", "heatmaps"], ["apparel_head_foot", "line"]])
def test_moving_a_drawn_pose_needs_keypoints(tiny_spec: Any, inputs: list[str]) -> None:
    for augmentations, needed in ((["flip"], True), (["brightness"], False)):
        value = tiny_spec(augmentations=augmentations, composite="none")
        value["data"]["inputs"] = inputs
        assert build_training_dataset(parse_spec(value)).io.needs_keypoints is needed


def test_regions_are_the_whole_image_and_the_inputs_that_are_masks() -> None:
    assert known_regions()[:2] == ["image", "skin"]
    assert set(known_regions()[2:]) >= {"arms", "face", "hands", "mask"}
    assert not {"line", "heatmaps", "apparel_head_foot"} & set(known_regions())
    assert region_field("skin") == "segmentation_skin"
    assert region_field("hands") == "hands"


@pytest.fixture
def broken_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Install a plugin with an input that cannot be imported, and one that is a mask."""
    row = '[[component]]\nkind = "input"\nname = "{0}"\ntarget = "{1}:X"\nconfig = "{1}:MaskConfig"\n'
    row += 'summary = "A mask."\n'
    rows = [row.format("broken", "no_such_module_here"), row.format("whole", "skinfw_plugins.inputs.config")]
    (tmp_path / "registry.toml").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setenv("SKINFW_REGISTRIES", str(tmp_path / "registry.toml"))
    installed.cache_clear()
    yield (
        f"input 'broken' of {tmp_path / 'registry.toml'} cannot be imported from "
        "no_such_module_here:MaskConfig: ModuleNotFoundError: No module named 'no_such_module_here'; install "
        "the package of no_such_module_here, or name its folder in PYTHONPATH"
    )
    installed.cache_clear()


def test_the_import_error_of_an_input_reaches_who_names_its_region(tiny_spec: Any, broken_input: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(tiny_spec(metrics=[{"type": "mse", "regions": ["image", "broken"]}]))
    assert caught.value.errors == (f"$.metrics[0].regions[1]: {broken_input}",)


def test_other_regions_are_known_if_an_input_cannot_be_imported(
    tiny_spec: Any, broken_input: str, caplog: pytest.LogCaptureFixture
) -> None:
    parse_spec(tiny_spec(metrics=[{"type": "mse", "regions": ["whole"]}]))
    assert not caplog.messages
    for _ in range(2):
        assert "whole" in known_regions() and "broken" not in known_regions()
    assert caplog.messages == [f"{broken_input}; it cannot be used as a region"]


PLUGIN = '''
from typing import ClassVar

from skinfw.components.config import InputConfig
from skinfw.data.field_types import Field
from skinfw.data.pixel_types import MaskType
from skinfw.interfaces import Input


class ScarConfig(InputConfig):
    """A mask that no other package knows."""

    is_mask: ClassVar[bool] = True


class ScarInput(Input[ScarConfig]):
    """The scars, of a file of their own."""

    missing: ClassVar[str] = "scar is missing; draw it"

    def read(self, parts):
        mask = parts.mask("scar")
        return None if mask is None else Field(MaskType(), mask)
'''
MANIFEST = """
[[component]]
kind = "input"
name = "scar"
target = "scar_plugin:ScarInput"
config = "scar_plugin:ScarConfig"
summary = "Scars."
"""


@pytest.fixture
def scar_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a plugin that brings an input."""
    (tmp_path / "scar_plugin.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "registry.toml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SKINFW_REGISTRIES", str(tmp_path / "registry.toml"))
    installed.cache_clear()
    yield
    installed.cache_clear()
    sys.modules.pop("scar_plugin", None)


@pytest.mark.usefixtures("scar_plugin")
def test_a_mask_of_a_plugin_is_an_input_and_a_region_of_losses_and_metrics(
    tiny_spec: Any, write_samples: Callable[..., list[Path]], tmp_path: Path
) -> None:
    folders = write_samples(tmp_path / "people", [f"p{number}" for number in range(6)])
    value = tiny_spec(
        losses=[{"type": "l1", "region": "scar"}],
        discriminator=None,
        metrics=[{"type": "mse", "regions": ["scar"]}],
        baselines=[],
        training={"steps": 1, "batch_size": 2, "device": "cpu", "threads": 1},
    )
    value["data"] |= {
        "dataset": {"type": "folder", "root": str(tmp_path / "people")},
        "inputs": ["apparel_head_foot", "scar"],
        "validation_fraction": 0,
    }
    scar = np.zeros((32, 32), np.uint8)
    scar[20:24, 8:12] = 255
    for folder in folders:
        Image.fromarray(scar).save(folder / "scar.png")
    spec = parse_spec(value)
    dataset = build_dataset(spec)
    batch = collate([dataset.load(name) for name in dataset.names()])
    region = batch.region("scar")
    assert region is not None and region.shape == (6, 1, 32, 32) and region.sum() == 6 * 16
    assert torch.equal(batch.condition(spec.data.input_names)[:, 3:], region.expand(-1, 3, -1, -1))
    run = skinfw.run(spec, output=tmp_path / "run")
    values = json.loads(run.metrics_path.read_text(encoding="utf-8"))["test"]["values"]["trained"]
    assert set(values) == {"scar/mse"}
    assert values["scar/mse"] > 0


NEEDY = '''
from typing import ClassVar

from skinfw.components.config import AugmentationConfig, InputConfig


class ZoneConfig(InputConfig):
    """A mask with a required parameter."""

    is_mask: ClassVar[bool] = True
    zone: int


class ZoneColorConfig(AugmentationConfig):
    required_inputs: ClassVar[tuple[str, ...]] = ("zone",)
'''


def test_a_region_that_needs_parameters_is_an_error_of_the_spec(
    tiny_spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy_plugin.py").write_text(NEEDY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    registry = load_registry()
    row = '[[component]]\nkind = "{0}"\nname = "{1}"\ntarget = "needy_plugin:X"\n'
    row += 'config = "needy_plugin:{2}"\nsummary = "."\n'
    rows = [row.format("input", "zone", "ZoneConfig"), row.format("augmentation", "color", "ZoneColorConfig")]
    registry.add_manifest("\n".join(rows), "needy 1")
    value = tiny_spec(
        losses=["l1", {"type": "l1", "region": "zone"}],
        discriminator=None,
        metrics=["psnr", {"type": "mse", "regions": ["image", "zone"]}],
        augmentations=["color"],
    )
    reason = "the input 'zone' needs parameters (zone: is required); name it with them in $.data.inputs"
    with pytest.raises(SpecError) as caught:
        parse_spec(value, registry=registry)
    assert caught.value.errors == (
        f"$.losses[1].region: {reason}",
        f"$.augmentations[0]: {reason}",
        f"$.metrics[1].regions[1]: {reason}",
    )
    value["data"]["inputs"] = ["apparel_head_foot", {"type": "zone", "zone": 3}]
    assert parse_spec(value, registry=registry).to_json()["losses"][1]["region"] == "zone"
