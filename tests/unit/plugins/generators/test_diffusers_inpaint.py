from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_pipelines import save_pipeline

from skinfw.components.registry import installed
from skinfw.data.pixel_types import image_tensor, mask_tensor
from skinfw.errors import DataError, RegistryError, UserError
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_others import DiffusersConfig

SIZE = (16, 24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pipeline(tmp_path_factory.mktemp("pipeline"))


def build(path: Path, own: tuple[int, int] = SIZE, **fields: Any) -> Any:
    from skinfw_plugins.generators.diffusers_inpaint import DiffusersGenerator

    config = DiffusersConfig.model_validate({"path": path, "steps": 1, "prompt": "skin", **fields})
    return DiffusersGenerator(config, example_generator_io(own, config.required_inputs))


def like(other: Any, **fields: Any) -> Any:
    """Build a generator with the same loaded pipeline."""
    fill = build(other.config.path, **fields)
    fill.__dict__["_pipeline"] = other._pipeline
    return fill


def example(size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    """An image with a white hole, the hole, and the condition."""
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    hole = np.zeros(size, bool)
    hole[4:9, 6:16] = True
    image[hole] = 255
    return image, hole, torch.cat([image_tensor([image]), mask_tensor([hole]).expand(-1, 3, -1, -1)], dim=1)


def in_8_bits(images: torch.Tensor) -> np.ndarray:
    return np.rint(images[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def changed(folder: Path, target: Path, **index: Any) -> Path:
    """Copy a pipeline, with other entries in its index."""
    shutil.copytree(folder, target)
    path = target / "model_index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **index}))
    return target


def test_it_paints_what_the_pipeline_paints_and_nothing_else(folder: Path) -> None:
    """The reference is diffusers itself."""
    from diffusers import StableDiffusionInpaintPipeline

    image, hole, condition = example()
    pipeline = StableDiffusionInpaintPipeline.from_pretrained(folder)
    options = {"negative_prompt": "sea", "guidance_scale": 3.0, "strength": 0.9, "num_inference_steps": 4}
    expected = pipeline(
        prompt="skin",
        image=Image.fromarray(image),
        mask_image=Image.fromarray(hole.astype(np.uint8) * 255),
        height=16,
        width=24,
        generator=torch.Generator().manual_seed(7),
        **options,
    ).images[0]
    fill = build(folder, prompt="skin", negative_prompt="sea", guidance=3, strength=0.9, steps=4, seed=7)
    found = in_8_bits(fill(condition))
    assert np.array_equal(found[~hole], image[~hole])
    assert np.array_equal(found[hole], np.asarray(expected)[hole])


@pytest.mark.parametrize(
    "other", [{"prompt": "sea"}, {"seed": 1}, {"guidance": 20}, {"negative_prompt": "arm"}, {"steps": 3}]
)
def test_each_setting_counts(folder: Path, other: dict[str, Any]) -> None:
    _, hole, condition = example()
    fill = build(folder, guidance=5)
    first = in_8_bits(fill(condition))
    assert np.array_equal(first, in_8_bits(like(fill, guidance=5)(condition)))
    assert not np.array_equal(first[hole], in_8_bits(like(fill, **{"guidance": 5, **other})(condition))[hole])


def test_an_image_does_not_depend_on_its_batch(folder: Path) -> None:
    condition = example()[2]
    fill = build(folder)
    both = fill(torch.cat([condition.flip(3), condition]))
    assert torch.equal(both[1], fill(condition)[0])
    assert not torch.equal(both[0].flip(2), both[1])


@pytest.mark.parametrize(
    ("own", "settings", "seen"),
    [
        ((13, 17), {}, (16, 24)),
        ((13, 17), {"multiple_of": 4}, (16, 20)),
        ((20, 30), {"size": [32, 32]}, (32, 32)),
    ],
)
def test_the_pipeline_gets_sizes_that_it_accepts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, own: tuple[int, int], settings: Any, seen: tuple[int, int]
) -> None:
    from diffusers import StableDiffusionInpaintPipeline as Pipeline

    given: list[dict[str, Any]] = []
    run = Pipeline.__call__

    def call(self: Any, prompt: Any = None, image: Any = None, mask_image: Any = None, **options: Any) -> Any:
        given.append({"image": image, "mask": mask_image, **options})
        return run(self, prompt, image, mask_image, **options)

    fill = build(folder, own, **settings)
    _ = fill._pipeline
    call.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]
    monkeypatch.setattr(Pipeline, "__call__", call)
    image, hole, condition = example(own)
    found = in_8_bits(fill(condition))
    assert np.array_equal(found[~hole], image[~hole])
    assert given[0]["image"].size == given[0]["mask"].size == seen[::-1]
    assert (given[0]["height"], given[0]["width"]) == seen
    assert set(np.unique(np.asarray(given[0]["mask"]))) == {0, 255}


def test_weights_of_a_text_to_image_pipeline_need_the_name_of_one_that_inpaints(tmp_path: Path) -> None:
    path = save_pipeline(tmp_path, inpainting=False)
    with pytest.raises(UserError, match=r"StableDiffusionPipeline does not inpaint.*set pipeline to one"):
        build(path)(example()[2])
    image, hole, condition = example()
    found = in_8_bits(build(path, pipeline="StableDiffusionInpaintPipeline")(condition))
    assert np.array_equal(found[~hole], image[~hole])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"_class_name": ["own", "Pipeline"]}, "names no class of diffusers in _class_name; code in a"),
        ({"_class_name": "Pipeline"}, "Pipeline is not a pipeline of diffusers .*; set pipeline to one"),
        ({"_class_name": "KandinskyInpaintCombinedPipeline"}, "loads other pipelines from the hub"),
        ({"unet": ["os", "system"]}, "the part unet is system of os, which is not run; only parts of"),
        ({"unet": ["diffusers", "UNet9"]}, "cannot be loaded as StableDiffusionInpaintPipeline"),
    ],
)
def test_an_index_that_names_anything_else_is_rejected(
    folder: Path, tmp_path: Path, index: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        build(changed(folder, tmp_path / "copy", **index))(example()[2])
    assert "\n" not in str(caught.value)


def test_the_folder_is_checked_whatever_runs_it(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path / "copy", unet=["os", "system"])
    with pytest.raises(UserError, match="the part unet is system of os, which is not run"):
        build(path, pipeline="StableDiffusionInpaintPipeline")(example()[2])


def test_code_of_a_hub_is_never_named(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path / "copy") / "text_encoder" / "config.json"
    nested = {"text_config": {"_attn_implementation_internal": "owner/kernel"}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **nested}))
    with pytest.raises(UserError, match=r"text_encoder: .*attn_implementation to 'owner/kernel'"):
        build(tmp_path / "copy")(example()[2])


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model", "text_encoder/model"])
def test_pickled_weights_are_rejected(folder: Path, tmp_path: Path, part: str) -> None:
    from safetensors.torch import load_file

    weights = changed(folder, tmp_path / "copy") / f"{part}.safetensors"
    name = "pytorch_model.bin" if part.endswith("/model") else "diffusion_pytorch_model.bin"
    torch.save(load_file(weights), weights.parent / name)
    weights.unlink()
    with pytest.raises(UserError, match="cannot be loaded as StableDiffusionInpaintPipeline with"):
        build(tmp_path / "copy")(example()[2])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_special_file_is_not_read(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path / "copy") / "unet" / "config.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"config\.json: a FIFO, not a regular file; remove it"):
        build(tmp_path / "copy")(example()[2])


def test_what_is_not_a_pipeline_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a pipeline in .* as it has no model_index\.json"):
        build(tmp_path)(example()[2])


def test_images_that_are_not_finite_or_blanked_are_no_result(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = build(folder)
    with torch.no_grad():
        fill._pipeline.vae.post_quant_conv.bias[0] = torch.nan
    with pytest.raises(DataError, match="its image is not finite"):
        fill(example()[2])
    fill = build(folder)
    monkeypatch.setattr(type(fill._pipeline), "run_safety_checker", lambda _, image, *others: (image, [True]))
    with pytest.raises(DataError, match="its safety checker blanked an image; change prompt"):
        fill(example()[2])


def test_what_the_pipeline_does_not_take_is_an_error_if_it_is_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionInpaintPipeline as Pipeline

    run = Pipeline.__call__

    def call(self: Any, image: Any, mask_image: Any, generator: Any, output_type: str) -> Any:
        options = {"generator": generator, "output_type": output_type, "num_inference_steps": 1}
        return run(self, "", image, mask_image, **options)

    monkeypatch.setattr(Pipeline, "__call__", call)
    with pytest.raises(UserError, match="StableDiffusionInpaintPipeline takes no prompt and no steps; leave"):
        build(folder, prompt="skin")(example()[2])
    image, hole, condition = example((16, 16))
    fill = build(folder, (16, 16))
    fill.config = DiffusersConfig(path=folder)  # nothing is set but the path
    assert np.array_equal(in_8_bits(fill(condition))[~hole], image[~hole])
    # it accepts no size, and paints at its own
    with pytest.raises(UserError, match="it returns 16x16 for 16x24; set size or multiple_of to multiples"):
        fill(example()[2])


def test_a_size_that_the_pipeline_rejects_is_an_error(folder: Path) -> None:
    with pytest.raises(UserError, match=r"cannot inpaint 13x16: .* have to be divisible by"):
        build(folder, size=[13, 16])(example()[2])


def test_what_goes_wrong_inside_is_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill = build(folder)

    def decode(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory.\nTried to")

    monkeypatch.setattr(fill._pipeline.vae, "decode", decode)
    with pytest.raises(UserError, match=r": cannot inpaint 16x24: CUDA out of memory\.$"):
        fill(example()[2])


def test_its_fingerprint_follows_the_files_that_count(folder: Path, tmp_path: Path) -> None:
    first = build(folder).fingerprint()
    copy = changed(folder, tmp_path / "copy")
    (copy / "README.md").write_text("x")
    assert build(copy, seed=3).fingerprint() != first  # the index is written in another way
    assert build(Path(shutil.copytree(folder, tmp_path / "same"))).fingerprint() == first
    scheduler = tmp_path / "same" / "scheduler" / "scheduler_config.json"
    scheduler.write_text(scheduler.read_text().replace("0.02", "0.03"))
    assert build(tmp_path / "same").fingerprint() != first
    assert build(save_pipeline(tmp_path / "other", seed=1)).fingerprint() != first


def test_without_diffusers_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    monkeypatch.delitem(sys.modules, "skinfw_plugins.generators.diffusers_inpaint", raising=False)
    with pytest.raises(RegistryError, match=re.escape("pip install 'skinfw[diffusers]'")):
        installed().component_class("generator", "diffusers")


def test_its_configuration_needs_no_diffusers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    config = DiffusersConfig(path=Path("x"), label="sd")
    assert (config.report_name, config.required_inputs) == ("sd", ("apparel_head_foot", "mask"))
