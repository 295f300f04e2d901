from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

import skinfw
from skinfw.data.pixel_types import image_tensor
from skinfw.errors import DataError, UserError
from skinfw.evaluation.metric_tables import evaluation_table
from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config_others import ImagesConfig
from skinfw_plugins.generators.images import ImagesGenerator

SIZE = (16, 8)


def build(folder: Path, **fields: Any) -> ImagesGenerator:
    config = ImagesConfig.model_validate({"folder": folder, **fields})
    return ImagesGenerator(config, example_generator_io(SIZE, ["apparel_head_foot"]))


def save(path: Path, seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return image


def test_images_are_found_by_the_names_of_samples(tmp_path: Path) -> None:
    one, other = save(tmp_path / "anna" / "front.png", 0), save(tmp_path / "zoë.PNG", 1)
    images = build(tmp_path)
    for names, expected in ((["zoe\u0308", "anna/front"], [other, one]), (["anna/front"], [one])):
        images.begin_batch(names)
        assert torch.equal(images(torch.zeros(len(names), 3, *SIZE)), image_tensor(expected))


def test_images_of_another_size_are_resized_and_those_of_another_shape_are_not(tmp_path: Path) -> None:
    save(tmp_path / "wide.png", 0, (16, 16))
    Image.new("RGB", (80, 161), (10, 20, 30)).save(tmp_path / "large.png")
    images = build(tmp_path)
    images.begin_batch(["large"])
    painted = images(torch.zeros(1, 3, *SIZE))
    assert torch.equal(painted, image_tensor([np.full((*SIZE, 3), (10, 20, 30), np.uint8)]))
    images.begin_batch(["wide"])
    with pytest.raises(DataError, match=r"wide\.png: 16x16 does not have the shape of the samples, .* 16x8"):
        images(torch.zeros(1, 3, *SIZE))


def test_samples_without_an_image_are_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 0)
    with pytest.raises(DataError, match=r"no image for 2 of 3 samples: b, c/d$"):
        build(tmp_path).begin_batch(["a", "b", "c/d"])
    with pytest.raises(DataError, match=r"no image for 9 of 9 samples: 0, 1, 2, 3, 4, \.\.\."):
        build(tmp_path).begin_batch([str(number) for number in range(9)])
    save(tmp_path / "a.bmp", 0)
    with pytest.raises(DataError, match=r"a\.png: a\.bmp is an image of the same sample; remove one"):
        build(tmp_path).begin_batch(["a"])
    with pytest.raises(DataError, match="no such folder"):
        build(tmp_path / "none").begin_batch(["a"])
    with pytest.raises(DataError, match=r"cannot hold '\.\./a'"):
        build(tmp_path).begin_batch(["../a"])


def test_any_image_by_the_name_of_a_sample_counts(tmp_path: Path) -> None:
    """A name like that of a label map, and folders that are links, unlike among photos."""
    expected = save(tmp_path / "anna" / "x_segment.png", 0)
    save(tmp_path / "anna" / "x.png", 1)
    (tmp_path / "ben").symlink_to(tmp_path / "anna")
    images = build(tmp_path)
    images.begin_batch(["anna/x_segment", "ben/x_segment"])
    assert torch.equal(images(torch.zeros(2, 3, *SIZE)), image_tensor([expected, expected]))


def test_it_is_a_baseline_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="for samples only; use it as a baseline"):
        build(tmp_path)(torch.zeros(1, 3, *SIZE))


@pytest.mark.parametrize("label", ["", "a b", "-a", "x" * 41, "a\n"])
def test_a_label_that_reports_cannot_show_is_rejected(tmp_path: Path, label: str) -> None:
    with pytest.raises(ValidationError, match="label"):
        build(tmp_path, label=label)


def test_the_truth_from_files_is_measured_beside_the_trained_network(
    tiny_spec: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In 8 bits the truth is right to the bit, outside the mask and inside."""
    from skinfw.assembly.assemble import build_dataset
    from skinfw.specs.spec import Spec, parse_spec

    spec = tiny_spec(
        training={"steps": 1, "batch_size": 4, "eval_batch_size": 3, "device": "cpu", "threads": 1}
    )
    parsed = parse_spec(spec)
    assert isinstance(parsed, Spec)
    dataset = build_dataset(parsed)
    for name in dataset.names():
        Image.fromarray(dataset.load(name)["body"]).save(tmp_path / f"{name}.png")
    others = {"type": "images", "folder": str(tmp_path), "label": "truth"}
    stated = {**others, "label": "stated", "seconds_per_image": 1.5, "peak_mib": 20}
    empty = {"type": "images", "folder": str(tmp_path / "none")}
    run = skinfw.run({**spec, "baselines": ["mean_color", others, stated, empty]}, output=tmp_path / "run")
    found = skinfw.Pipeline.from_run(run.folder).evaluate()
    assert list(found.values) == ["trained", "mean_color", "truth", "stated"]
    assert found.values["truth"]["skin/psnr"] == 100  # its highest value
    assert found.seconds_per_image["truth"] is None
    assert found.seconds_per_image["mean_color"] > 0
    assert "no such folder" in found.unavailable["images"]
    rows = dict(evaluation_table(found).rows)
    assert [cell.text for cell in rows["stated"][-2:]] == ["1500.0 (stated)", "20 (stated)"]
    assert rows["truth"][-1].text == "-" and rows["mean_color"][-1].text != "-"
