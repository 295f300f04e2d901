"""An exported network with alpha paints as its checkpoint, without torch."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from blocked import run_blocked
from click.testing import CliRunner
from drawn_photos import write_drawn_photo
from numpy.typing import NDArray
from PIL import Image

from skinfw.cli import main
from skinfw.data.batch import collate
from skinfw.data.photo import Photo
from skinfw.data.sample_folder import read_sample
from skinfw.errors import SkinfwError, UserError
from skinfw.export.export import Exported, export_run
from skinfw.export.parity import Comparison, reject_difference
from skinfw.inference.background import over_background
from skinfw.inference.batch_inpainter import BatchInpainter
from skinfw.inference.composite import to_uint8
from skinfw.inference.condition import images_of
from skinfw.inference.inpainter import Inpainter
from skinfw.inference.sample_images import sample_io
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import run_checkpoint, save_checkpoint
from skinfw.runs.folder import Run
from skinfw.runtime import OnnxModel

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def alpha_run(make_run: Make, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("alpha")
    for number in range(8):
        write_drawn_photo(folder / "photos" / f"p{number}.png", number)
    data = {
        "dataset": {
            "type": "photos",
            "root": str(folder / "photos"),
            "cache": str(folder / "cache"),
            "prepare": {"crop": {"aspect": 2, "margin": 0.1}, "margin": 1, "num_workers": 1},
        },
        "size": [32, 16],
        "inputs": ["apparel_head_foot", "line", "mask"],
        "garment_margin": [0.01, 0.1],
        "test_fraction": 0.4,
        "validation_fraction": 0.2,
    }
    generator = {"type": "pix2pix", "base_channels": 4, "depth": 2, "output": "rgba"}
    run: Run = make_run(
        folder / "run", data=data, generator=generator, discriminator=None, losses=["l1"], composite="mask"
    )
    found = run_checkpoint(run)
    # initial weights are small, and give an alpha of a half everywhere
    louder = {name: 4 * values if values.ndim == 4 else values for name, values in found.tensors.items()}
    save_checkpoint(run.checkpoint("best"), louder, run.spec, found.progress)
    return run


@pytest.fixture(scope="module")
def exported(alpha_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_run(alpha_run, tmp_path_factory.mktemp("exported") / "model.onnx")


def pixels(path: Path) -> NDArray[np.int64]:
    return np.asarray(Image.open(path), int)


def test_alpha_is_compared_and_the_file_says_so(alpha_run: Run, exported: Exported) -> None:
    about = exported.metadata
    assert (about.alpha, about.composite) == (True, "mask")
    assert about.parity.max_alpha_difference is not None and about.parity.max_alpha_difference <= 1
    assert about.parity.max_difference is not None and about.parity.max_difference <= 1
    assert about.parity.different_skin is not None and about.parity.different_skin <= 0.001
    assert (about.parity.changed, len(about.parity.sizes)) == (0, 3)


def test_it_gives_the_networks_colors_and_alpha_at_any_size(alpha_run: Run, exported: Exported) -> None:
    model = OnnxModel(exported.path)
    generator = load_generator(run_checkpoint(alpha_run), torch.device("cpu"))
    source = np.random.default_rng(0)
    for size in ((32, 16), (20, 36)):
        images = {name: source.integers(0, 256, (*size, 3), np.uint8) for name in model.inputs}
        images |= {
            each.name: np.where(images[each.name] > 127, np.uint8(255), np.uint8(0))
            for each in model.metadata.inputs
            if each.mask
        }
        stacked = np.concatenate([images[name] for name in model.inputs], axis=2)
        with torch.inference_mode():
            wanted = to_uint8(generator(torch.from_numpy(stacked).permute(2, 0, 1)[None] / 255, None))[0]
        found = model(images)
        assert found.shape == (*size, 4)
        assert np.abs(found.astype(int) - wanted).max() <= 1
        assert found[..., 3].std() > 10


def test_metadata_of_another_network_are_one_error(exported: Exported) -> None:
    model = OnnxModel(exported.path)
    model.metadata = model.metadata.model_copy(update={"alpha": False})
    white = {name: np.full((32, 16, 3), 255, np.uint8) for name in model.inputs}
    with pytest.raises(UserError, match=r"model\.onnx: gives uint8 \(1, 32, 16, 4\), but its metadata says"):
        model(white)


def test_a_region_is_painted_without_torch_as_its_checkpoint_paints_it(
    alpha_run: Run, exported: Exported, tmp_path: Path
) -> None:
    photo = write_drawn_photo(tmp_path / "anna.png", 1, (192, 128))
    arms = Inpainter.load(alpha_run.folder, device="cpu").segmenter.segment(Photo.read(photo)).region("skin")
    region = np.zeros((192, 128), bool)
    for down in range(-2, 3):  # as wide as sleeves
        region |= np.roll(arms, (down, 2 * down), axis=(0, 1))
    Image.fromarray(region).save(tmp_path / "region.png")
    arguments = [str(photo), "--region", str(tmp_path / "region.png"), "--device", "cpu"]
    code = "from skinfw.cli import main; main(sys.argv[1:])"
    file, run = tmp_path / "file.png", tmp_path / "run.png"
    run_blocked(
        code, ["torch", "torchvision"], "paint", exported.path, *arguments, "-o", file, "--show-mask",
        tmp_path / "painted.png",
    )  # fmt: skip
    done = CliRunner().invoke(main, ["paint", str(alpha_run.folder), *arguments, "-o", str(run)])
    assert done.exit_code == 0, done.output
    assert np.abs(pixels(file) - pixels(run)).max() <= 1
    painted = pixels(tmp_path / "painted.png") > 0
    assert np.array_equal(pixels(file)[~painted], pixels(photo)[~painted])
    assert (pixels(file)[painted] != pixels(photo)[painted]).any(axis=1).mean() > 0.5


def test_sample_folders_are_painted_without_torch_as_generate_paints_them(
    alpha_run: Run, exported: Exported, samples: Path, tmp_path: Path
) -> None:
    code = "from skinfw.cli import main; main(sys.argv[1:])"
    arguments = ["generate", str(exported.path), str(samples), str(tmp_path / "file")]
    assert "2 images in" in run_blocked(code, ["torch", "torchvision"], *arguments)
    checkpoint = ["generate", str(alpha_run.folder), str(samples), str(tmp_path / "run"), "--device", "cpu"]
    done = CliRunner().invoke(main, checkpoint)
    assert done.exit_code == 0, done.output
    for name in ("a.png", "b.png"):
        one, other = (pixels(tmp_path / way / name) for way in ("file", "run"))
        assert one.shape == (32, 16, 3)
        assert np.abs(one - other).max() <= 1


def test_the_script_paints_the_same(
    exported: Exported, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OnnxModel(exported.path)
    sample = read_sample(samples / "a", "a", sample_io(model), needs_target=False)
    condition = images_of(sample, model.inputs)
    for name, image in condition.items():
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    assert exported.script is not None
    blocked = ["torch", "skinfw", "skinfw_plugins", "pydantic"]
    code = "import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    run_blocked(code, blocked, exported.script, tmp_path, tmp_path / "out.png")
    expected = over_background(model(condition), sample["apparel_head_foot"], sample["mask"])
    assert np.array_equal(pixels(tmp_path / "out.png"), expected)
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(SystemExit, match="needs OpenCV: pip install opencv-python-headless"):
        runpy.run_path(str(exported.script))["main"](str(tmp_path), str(tmp_path / "other.png"))
    assert not (tmp_path / "other.png").exists()


def test_the_background_is_that_of_training(alpha_run: Run, samples: Path, exported: Exported) -> None:
    """The composite of a checkpoint and `over_background` agree on the same network's image."""
    sample = read_sample(samples / "a", "a", sample_io(OnnxModel(exported.path)), needs_target=False)
    image = np.random.default_rng(0).integers(0, 256, (32, 16, 4), np.uint8)

    def network(*_: object) -> torch.Tensor:
        return torch.from_numpy(image).permute(2, 0, 1)[None] / 255

    inpainter = BatchInpainter(("apparel_head_foot", "line", "mask"), "mask")
    wanted = to_uint8(inpainter(network, collate([sample])).output)[0]  # type: ignore[arg-type]
    found = over_background(image, sample["apparel_head_foot"], sample["mask"])
    assert np.array_equal(found, wanted)


def test_another_alpha_is_rejected() -> None:
    comparison, mask = Comparison(), np.zeros((10, 10), bool)
    mask[:5] = True
    wanted = np.full((10, 10), 128, np.uint8)
    found = wanted.copy()
    found[0, :2] = 126  # 2 of 50 pixels of the mask
    found[9] = 0  # outside the mask, where it means nothing
    comparison.add_alpha(found, wanted, mask)
    parity = comparison.parity()
    assert (parity.max_alpha_difference, parity.different_skin) == (2, 2 / 50)
    with pytest.raises(SkinfwError, match="alpha differs by up to 2 gray levels, where 1 is allowed"):
        reject_difference(parity, "float32")
    with pytest.raises(SkinfwError, match=r"4\.000% of the mask is skin in one image alone, at most 2\.0%"):
        reject_difference(parity, "int8")
