"""How to build an example of every registered component, and what its check is given.

A new component needs a row in `EXAMPLES`; a test fails for one that has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from drawn_photos import write_drawn_photo
from layouts import write_deepfashion_multimodal, write_dress_code, write_viton_hd
from onnx_models import write_bodypix, write_mean_fill
from PIL import Image
from programs import INVERT, write_program
from tiny_models import save_segformer, write_onnx, write_tflite
from tiny_pipelines import save_pipeline
from tiny_poses import simcc, write_bodypix_people, write_constants
from torch import nn

from skinfw.assembly.assemble import build_segmentation_network
from skinfw.data.classes import ClassTable
from skinfw.data.photo import Photo
from skinfw.preparation.pack import pack
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import save_checkpoint
from skinfw.specs.spec import parse_spec
from skinfw.testing import EXAMPLE_NAMES
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.deepfashion_classes import REGIONS


@dataclass(frozen=True)
class Example:
    """Parameters of a component, and further arguments of its contract check."""

    params: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[Path], list[Example]]


def write_photo(folder: Path) -> Path:
    """Write a drawn person as DeepFashion has it: photo, label map, and OpenPose's keypoints."""
    return write_drawn_photo(folder / "id_00000001" / "01_1_front.png")


def write_sample(folder: Path) -> Path:
    """Write a drawn person as a sample folder with the report's images."""
    drawing = draw_person(0, (96, 64))

    def region(*names: str) -> np.ndarray:
        wanted = [CLASSES.index(name) for name in names if name in CLASSES]
        return np.isin(drawing.labels, wanted)[..., None]

    skin = region(*REGIONS["skin"])
    kept = region(*REGIONS["head"], *REGIONS["feet"], *REGIONS["apparel"])
    images = {
        "apparel_head_foot": np.where(kept, drawing.image, 255),
        "body": np.where(kept | skin, drawing.image, 255),
        "segmentation_skin": np.repeat(skin, 3, axis=2) * 255,
    }
    (folder / "person").mkdir(parents=True)
    for name, image in images.items():
        Image.fromarray(image.astype(np.uint8)).save(folder / "person" / f"{name}.png")
    return folder


def write_parser(folder: Path) -> Path:
    """Write the checkpoint of a network that was never trained."""
    spec = parse_spec(
        {
            "name": "parser",
            "task": "segmentation",
            "data": {"root": str(folder), "size": [32, 32]},
            "network": {"type": "smp", "encoder": "tu-test_resnet", "base_channels": 2},
            "training": {"steps": 1},
        }
    )
    torch.manual_seed(0)
    state = build_segmentation_network(spec, len(REGIONS)).state_dict()
    classes = ClassTable(tuple(REGIONS), {region: (region,) for region in REGIONS}, {})
    path = folder / "parser.safetensors"
    tensors = {f"network.{name}": value for name, value in state.items()}
    save_checkpoint(path, tensors, spec, Progress(1, 1, 0, ""), classes=classes.to_json())
    return path


def of(*params: dict[str, Any]) -> Maker:
    """Return examples that need no files."""
    return lambda _: [Example(each) for each in params or ({},)]


def _photo(folder: Path, **params: Any) -> list[Example]:
    return [Example(params, {"photo": Photo.read(write_photo(folder))})]


def _bodypix(folder: Path) -> dict[str, Any]:
    weights = write_bodypix(folder / "bodypix.onnx", stride=8)
    return {"weights": weights, "stride": 8, "resolution": 97, "threshold": 0.3}


COLORS = [(255, 255, 255), (30, 20, 20), (200, 150, 120), (230, 180, 60), (40, 60, 200), (0, 255, 0)]


def _onnx_parser(folder: Path) -> list[Example]:
    labels = {"classes": ["wall", "hair", "arm"], "regions": {"background": ["wall"], "skin": ["arm"]}}
    photo = Photo.read(write_photo(folder / "photos"))
    plain = {"mean": [0, 0, 0], "std": [1, 1, 1]}
    path = write_onnx(folder / "parser.onnx", COLORS[:3], pool=4)
    six = write_onnx(folder / "six.onnx", COLORS, size=(32, 32), channels_last=True, codes=True)
    return [
        Example({"path": path, "labels": labels, "size": [64, 48], **plain}, {"photo": photo}),
        Example({"path": six, "labels": "mediapipe", "channels": "bgr"}, {"photo": photo}),
    ]


def _images(folder: Path) -> list[Example]:
    rng = np.random.default_rng(0)
    for name in EXAMPLE_NAMES:
        Image.fromarray(rng.integers(0, 256, (64, 96, 3), np.uint8)).save(folder / f"{name}.png")
    return [Example({"folder": folder, "label": "others"})]


def _command(folder: Path) -> list[Example]:
    program = write_program(folder / "invert.py", INVERT)
    return [Example({"program": program})]


def _onnx_inpaint(folder: Path) -> list[Example]:
    fixed = write_mean_fill(folder / "fixed.onnx", (48, 48), white=255)
    return [
        Example({"path": write_mean_fill(folder / "free.onnx")}),
        Example({"path": fixed, "output_range": [0, 255]}),
    ]


def _diffusers(folder: Path) -> list[Example]:
    path = save_pipeline(folder / "pipeline")
    return [Example({"path": path, "steps": 2}), Example({"path": path, "steps": 1, "size": [48, 32]})]


def _huggingface(folder: Path) -> list[Example]:
    model = str(save_segformer(folder / "model", [f"class {code}" for code in range(20)]))
    photo = Photo.read(write_photo(folder / "photos"))
    own = {"background": ["class 0"], "skin": ["class 1"]}
    return [
        Example({"model": model, "labels": "lip"}, {"photo": photo}),
        Example({"model": model, "labels": own, "other": "apparel"}, {"photo": photo}),
    ]


def _mediapipe(folder: Path) -> list[Example]:
    model = write_tflite(folder / "model.tflite", COLORS)
    return [Example({"model": model}, {"photo": Photo.read(write_photo(folder / "photos"))})]


GRAY = Photo(np.full((129, 65, 3), 100, np.uint8))


def _bodypix_poses(folder: Path) -> list[Example]:
    joints = {joint: (20.0 + joint % 3 * 8, 20.0 + joint * 5) for joint in range(17)}
    weights = write_bodypix_people(folder / "bodypix.onnx", [joints], (129, 65), 8)
    return [
        Example({"weights": weights, "resolution": 129, "draw": draw}, {"photo": GRAY})
        for draw in ("skeleton", "lines")
    ]


def _rtmpose(folder: Path) -> list[Example]:
    peaks = simcc([(4 + index, 60 - 2 * index) for index in range(26)], [0.9] * 26, (64, 48))
    pose_model = write_constants(folder / "pose.onnx", peaks, (64, 48))
    boxes = {"dets": np.array([[[2, 2, 30, 60, 0.9]]], np.float32)}
    detector = write_constants(folder / "detector.onnx", boxes, (64, 64))
    both = {"pose_model": pose_model, "detector": detector}
    return [Example(params, {"photo": GRAY}) for params in (both, {"pose_model": pose_model})]


def _haar(_: Path) -> list[Example]:
    # drawn people have no faces that a cascade finds; scikit-image brings a photo of one who has
    photo = Photo(skimage.data.astronaut()[:256, 96:352])
    body = {"part": "upper_body", "cascade": "upperbody"}
    head = {"part": "head", "cascade": "frontalface_alt2"}
    return [
        Example({}, {"photo": photo}),
        Example({"detectors": [head, body], "refine": "none"}, {"photo": photo}),
    ]


def _feet(folder: Path) -> list[Example]:
    photo = Photo.read(write_photo(folder / "photos"))
    barefoot = {"min_shoes": 0.9, "ankle_height": 0.25}
    return [Example({}, {"photo": photo}), Example(barefoot, {"photo": photo})]


def _ensemble(folder: Path) -> list[Example]:
    photo = Photo.read(write_photo(folder / "photos"))
    feet = {"segmenter": "feet", "regions": ["feet"]}
    rest = {"segmenter": "deepfashion", "weight": 2}
    return [
        Example({"members": [feet, rest], "rule": rule}, {"photo": photo}) for rule in ("priority", "vote")
    ]


def _shards(folder: Path) -> list[Example]:
    pack(write_sample(folder / "samples"), folder / "shards")
    return [Example({"root": folder / "shards"})]


def _photos(folder: Path) -> list[Example]:
    write_photo(folder / "photos")
    params = {"root": folder / "photos", "cache": folder / "cache", "prepare": {"num_workers": 1}}
    return [Example(params)]


def _parser(folder: Path) -> list[Example]:
    photo = write_photo(folder)
    checkpoint = write_parser(folder)
    arguments = {"photo": Photo.read(photo)}
    return [Example({"path": checkpoint}, arguments), Example({"path": checkpoint, "flip": True}, arguments)]


def _layout(folder: Path) -> dict[str, Any]:
    return {"root": folder / "data", "cache": folder / "cache", "prepare": {"num_workers": 1}}


def _viton_hd(folder: Path) -> list[Example]:
    write_viton_hd(folder / "data", "train", ["00000_00"])
    return [Example(_layout(folder))]


def _dress_code(folder: Path) -> list[Example]:
    write_dress_code(folder / "data", "dresses", ["000000"])
    return [Example({**_layout(folder), "split": "all", "categories": ["dresses"], "points_size": [48, 32]})]


def _deepfashion_multimodal(folder: Path) -> list[Example]:
    write_deepfashion_multimodal(folder / "data", ["WOMEN-Dresses-id_00000002-02_1_front"])
    return [Example(_layout(folder))]


def _deepfashion_points(folder: Path) -> list[Example]:
    write_deepfashion_multimodal(folder, ["WOMEN-Dresses-id_00000002-02_1_front"])
    params = {
        "locations": folder / "keypoints" / "keypoints_loc.txt",
        "visibility": folder / "keypoints" / "keypoints_vis.txt",
    }
    photo = Photo.read(folder / "images" / "WOMEN-Dresses-id_00000002-02_1_front.jpg")
    return [Example(params, {"photo": photo})]


EXAMPLES: dict[tuple[str, str], Maker] = {
    ("generator", "pix2pix"): of(
        {"base_channels": 4},
        {"base_channels": 4, "norm": "instance", "depth": 3, "dropout": 0.5},
        {"base_channels": 4, "norm": "none", "output": "rgba"},
        {"base_channels": 4, "condition": "tone", "noise": "channel"},
        {"base_channels": 4, "condition": "tone_film", "noise": "dropout", "dropout": 0.5},
    ),
    ("generator", "smp_unet"): of(
        {
            "encoder": "tu-test_resnet",
            "base_channels": 2,
            "condition": "tone",
            "noise": "channel",
            "output": "rgba",
        },
        {
            "encoder": "tu-test_resnet",
            "base_channels": 4,
            "decoder": "fpn",
            "condition": "tone_film",
            "noise": "dropout",
            "dropout": 0.5,
        },
    ),
    ("generator", "pix2pixhd"): of(
        {"base_channels": 4, "downsamplings": 2, "blocks": 1, "enhancer_blocks": 1},
        {
            "base_channels": 2,
            "downsamplings": 1,
            "blocks": 1,
            "enhancers": 0,
            "norm": "none",
            "output": "rgba",
        },
        {
            "base_channels": 4,
            "downsamplings": 2,
            "blocks": 1,
            "norm": "batch",
            "condition": "tone",
            "noise": "channel",
        },
        {
            "base_channels": 4,
            "downsamplings": 1,
            "blocks": 2,
            "enhancers": 2,
            "condition": "tone_film",
            "noise": "dropout",
            "dropout": 0.5,
        },
    ),
    ("generator", "gated_unet"): of(
        {"base_channels": 4},
        {"base_channels": 2, "downsamplings": 3, "dilations": [], "skips": False, "output": "rgba"},
        {"base_channels": 2, "condition": "tone", "noise": "channel"},
        {"base_channels": 2, "condition": "tone_film", "noise": "dropout", "dropout": 0.5},
    ),
    ("generator", "lama"): of(
        {"base_channels": 4, "blocks": 1},
        {"base_channels": 1, "downsamplings": 1, "blocks": 1, "norm": "none", "output": "rgba"},
        {"base_channels": 4, "blocks": 1, "norm": "instance", "condition": "tone", "noise": "channel"},
        {"base_channels": 2, "blocks": 2, "condition": "tone_film", "noise": "dropout", "dropout": 0.5},
    ),
    ("generator", "opencv_inpaint"): of({}, {"method": "navier_stokes"}),
    ("generator", "images"): _images,
    ("generator", "command"): _command,
    ("generator", "onnx"): _onnx_inpaint,
    ("generator", "diffusers"): _diffusers,
    ("generator", "mean_color"): of(),
    ("generator", "limbs"): of({}, {"width": 1.5}),
    ("generator", "fcnn"): of(
        {"hidden_widths": [4]},
        {"hidden_widths": [3, 4], "condition": "tone", "noise": "channel"},
        {
            "hidden_widths": [4],
            "condition": "tone_film",
            "noise": "dropout",
            "dropout": 0.5,
            "output": "rgba",
        },
    ),
    ("generator", "dcgan"): of(
        {"base_channels": 4, "max_channels": 16},
        {"base_channels": 4, "max_channels": 8, "norm": "none", "latent": 5},
    ),
    ("generator", "two_stage"): of(
        {"coarse": "mean_color", "refiner": {"type": "pix2pix", "base_channels": 2, "depth": 3}},
        {
            "coarse": {"type": "pix2pix", "base_channels": 2, "depth": 2, "noise": "channel"},
            "refiner": {"type": "pix2pix", "base_channels": 2, "noise": "dropout", "dropout": 0.5},
        },
        {
            "coarse": {"type": "pix2pix", "base_channels": 2, "depth": 2},
            "refiner": {"type": "pix2pix", "base_channels": 2, "depth": 3, "condition": "tone"},
            "train_coarse": False,
            "coarse_run": "runs/coarse",
        },
        {
            "coarse": "limbs",
            "refiner": {"type": "pix2pix", "base_channels": 2, "depth": 3, "output": "rgba"},
        },
    ),
    ("discriminator", "patchgan"): of(
        *({"base_channels": 2, "patch": patch} for patch in (1, 16, 34, 70)),
        {"base_channels": 2, "conditional": False},
        {"base_channels": 2, "patch": 16, "spectral_norm": True},
    ),
    ("discriminator", "multiscale"): of(
        {"base_channels": 2, "patch": 16},
        {"base_channels": 2, "patch": 34, "scales": 2, "norm": "none", "spectral_norm": True},
        {"base_channels": 2, "patch": 16, "scales": 1, "conditional": False},
    ),
    ("discriminator", "dcgan"): of(
        {"base_channels": 2, "max_channels": 8},
        {"base_channels": 2, "conditional": True, "norm": "none", "spectral_norm": True},
    ),
    ("loss", "l1"): of({}, {"region": "skin"}, {"region": "hands"}),
    ("loss", "mse"): of({}, {"region": "skin"}),
    ("loss", "psnr"): of({}, {"region": "skin"}),
    ("loss", "gan"): of({}, {"label_smoothing": 0.1, "r1": 10}),
    ("loss", "lsgan"): of({}, {"label_smoothing": 0.1, "r1": 10}),
    ("loss", "hinge"): of({}, {"label_smoothing": 0.1, "r1": 10}),
    ("loss", "wgan_gp"): of(),
    ("loss", "feature_matching"): of(),
    ("loss", "charbonnier"): of({}, {"region": "skin"}),
    ("loss", "ssim"): of({}, {"region": "skin"}),
    ("loss", "ms_ssim"): of({"scales": 3}, {"scales": 3, "region": "skin"}),
    ("loss", "lpips"): of({"net": "squeeze"}, {"net": "alex", "region": "skin"}),
    ("loss", "perceptual"): lambda _: [
        Example({"layers": ["relu1_2", "relu2_2"]}, {"size": (16, 24)}),
        Example({"layers": ["relu2_1"], "region": "skin", "distance": "l2"}, {"size": (16, 24)}),
        Example({"net": "mobilenet_v2", "layers": ["stage2", "stage1"]}, {"size": (16, 24)}),
    ],
    ("loss", "total_variation"): of({}, {"region": "skin"}),
    ("loss", "color"): of({}, {"region": "image", "covariance": 0}),
    ("loss", "tone_consistency"): of({}, {"lightness": 0, "covariance": 1}),
    ("loss", "alpha_cross_entropy"): of({}, {"region": "image"}),
    ("loss", "alpha_dice"): of({}, {"region": "image"}),
    ("metric", "alpha_iou"): of({}, {"regions": ["image", "mask"]}),
    ("metric", "mse"): of(),
    ("metric", "psnr"): of(),
    ("metric", "ssim"): of(),
    ("metric", "lpips"): of({"net": "squeeze"}, {"net": "alex"}),
    ("metric", "mae"): of({}, {"regions": ["image", "face", "mask"]}),
    ("metric", "ms_ssim"): of({"scales": 3}),
    ("metric", "ciede2000"): of({}, {"regions": ["image", "skin"]}),
    ("metric", "tone_bias"): of({}, {"regions": ["image", "skin"]}),
    ("metric", "seam"): of({}, {"band": 1}),
    ("metric", "detail"): of({}, {"regions": ["image"]}),
    ("metric", "fid"): lambda _: [Example({}, {"images": 16})],
    ("metric", "kid"): lambda _: [
        Example({}, {"images": 16}),
        Example({"subset_size": 12, "subsets": 5}, {"images": 16}),
    ],
    ("metric", "kernel_distance"): lambda _: [Example({"net": "mobilenet_v2"}, {"images": 16})],
    ("dataset", "mannequins"): of({"count": 3}),
    ("dataset", "folder"): lambda folder: [Example({"root": write_sample(folder / "samples")})],
    ("dataset", "shards"): _shards,
    ("dataset", "photos"): _photos,
    ("dataset", "viton_hd"): _viton_hd,
    ("dataset", "dress_code"): _dress_code,
    ("dataset", "deepfashion_multimodal"): _deepfashion_multimodal,
    ("segmenter", "deepfashion"): _photo,
    ("segmenter", "label_map"): lambda folder: _photo(folder, labels="deepfashion", suffix="_segment.png"),
    ("segmenter", "bodypix"): lambda folder: _photo(folder, **_bodypix(folder)),
    ("segmenter", "skin_color"): lambda folder: _photo(folder, parts={"type": "bodypix", **_bodypix(folder)}),
    ("segmenter", "parser"): _parser,
    ("segmenter", "onnx_parser"): _onnx_parser,
    ("segmenter", "haar"): _haar,
    ("segmenter", "feet"): _feet,
    ("segmenter", "ensemble"): _ensemble,
    ("segmenter", "huggingface"): _huggingface,
    ("segmenter", "mediapipe"): _mediapipe,
    ("pose_encoder", "openpose"): _photo,
    ("pose_encoder", "bodypix"): _bodypix_poses,
    ("pose_encoder", "mediapipe"): lambda _: [Example({"draw": "lines"}, {"photo": GRAY})],
    ("pose_encoder", "rtmpose"): _rtmpose,
    ("segmentation_loss", "cross_entropy"): of({}, {"class_weights": {"feet": 2}, "weight": 3}),
    ("segmentation_loss", "dice"): of({}, {"warmup": 10}),
    ("segmentation_network", "smp"): of(
        {"encoder": "tu-test_resnet", "base_channels": 2, "dropout": 0.5},
        {"encoder": "bodypix_050", "encoder_depth": 4, "base_channels": 2},
    ),
    ("pose_encoder", "deepfashion_points"): _deepfashion_points,
    ("input", "apparel_head_foot"): of(),
    ("input", "line"): of(),
    ("input", "heatmaps"): of(),
    ("input", "segmentation_skin"): of(),
    ("input", "mask"): of(),
    ("input", "face"): of(),
    ("input", "arms"): of(),
    ("input", "hands"): of(),
    ("augmentation", "flip"): of(),
    ("augmentation", "scale"): of({}, {"scale": [0.25, 4]}),
    ("augmentation", "crop"): of({}, {"side": [0.25, 0.5]}),
    ("augmentation", "pad"): of({}, {"side": [0.25, 0.5]}),
    ("augmentation", "rotate"): of({}, {"degrees": 180}),
    ("augmentation", "translate"): of({}, {"fraction": 0.3}),
    ("augmentation", "affine"): of({}, {"degrees": 90, "shear": 45, "probability": 0.5}),
    ("augmentation", "brightness"): of({}, {"factor": [0, 4]}),
    ("augmentation", "contrast"): of({}, {"factor": [0, 4]}),
    ("augmentation", "saturation"): of({}, {"factor": [0, 4]}),
    ("augmentation", "hue"): of({}, {"degrees": 180}),
    ("augmentation", "skin_tone"): of({}, {"lightness": 50, "chroma": 20}),
}


@pytest.fixture(scope="session")
def example_makers() -> dict[tuple[str, str], Maker]:
    return EXAMPLES


@pytest.fixture(autouse=True)
def _weights(random_weights: Callable[..., Path]) -> None:
    """Let components find random weights where they would look for published ones."""
    for network in ("alexnet", "squeezenet1_1"):
        random_weights(network)
    random_weights("vgg16", layers=10)
    random_weights("mobilenet_v2")


@pytest.fixture(autouse=True)
def _inception(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let metrics of sets look through a small network: the real ones take seconds for a few images."""
    from skinfw_plugins.metrics import kernel_distance
    from skinfw_plugins.networks import inception

    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    class Small(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            features: torch.Tensor = layers(images / 255)
            return features

    small = inception.Inception(Small(), 6)
    monkeypatch.setattr(inception, "extractor", lambda: small)
    monkeypatch.setattr(kernel_distance, "pooled_encoder", lambda _: small)


@pytest.fixture(autouse=True)
def _landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let MediaPipe find the same in every image: its models are too large to be made here."""
    from skinfw_plugins.pose_encoders.mediapipe import MediapipePoseEncoder

    person = [SimpleNamespace(x=0.3 + index % 3 / 10, y=index / 40, visibility=0.9) for index in range(33)]
    found = SimpleNamespace(detect=lambda _: SimpleNamespace(pose_landmarks=[person]))
    monkeypatch.setattr(MediapipePoseEncoder, "landmarker", found)
