"""Small valid files of every kind that skinfw reads: what the mutations start from."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skinfw.data.image_formats import FORMATS
from skinfw.data.shard_lines import INDEX_FILE
from skinfw.data.shard_writer import ShardWriter
from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
from skinfw_plugins.segmenters.deepfashion_classes import PALETTES

SIZE = (48, 40)

Files = tuple[tuple[str, bytes], ...]
"""Names and contents."""


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def _person() -> tuple[Image.Image, np.ndarray[Any, Any]]:
    drawing = draw_person(0, SIZE)
    return Image.fromarray(drawing.image), drawing.labels


def photos() -> Files:
    """A drawn person in every format and several modes, with EXIF, ICC profile and transparency."""
    image, _ = _person()
    rotated = Image.Exif()
    rotated[0x0112] = 6
    gray = image.convert("L")
    deep = Image.fromarray(np.asarray(gray, np.uint16) * 257)
    palette = image.quantize(16)
    cutout = image.convert("RGBA")
    cutout.putalpha(gray)
    files = [
        ("rgb.png", _saved(image, "PNG", exif=rotated)),
        ("deep.png", _saved(deep, "PNG")),
        ("palette.png", _saved(palette, "PNG", transparency=3)),
        ("alphas.png", _saved(palette, "PNG", transparency=bytes(range(16)))),
        ("key.png", _saved(image, "PNG", transparency=(255, 255, 255))),
        ("rgba.png", _saved(cutout, "PNG")),
        ("la.png", _saved(cutout.convert("LA"), "PNG")),
        ("bits.png", _saved(gray.convert("1"), "PNG")),
        ("frames.png", _saved(image, "PNG", save_all=True, append_images=[image.rotate(90)])),
        ("photo.jpg", _saved(image, "JPEG", exif=rotated)),
        ("cmyk.jpg", _saved(image.convert("CMYK"), "JPEG")),
        ("progressive.jpg", _saved(image, "JPEG", progressive=True, dpi=(72, 72))),
        ("gray.jpg", _saved(gray, "JPEG")),
        ("lossy.webp", _saved(image, "WEBP")),
        ("alpha.webp", _saved(cutout, "WEBP", lossless=True)),
        ("plain.bmp", _saved(image, "BMP")),
        ("palette.bmp", _saved(palette, "BMP")),
        ("palette.gif", _saved(palette, "GIF", transparency=2)),
        ("frames.gif", _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(90)])),
    ]
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        files.append((f"{compression}.tif", _saved(image, "TIFF", compression=compression)))
    files.append(("deep.tif", _saved(deep, "TIFF")))
    files.append(("float.tif", _saved(Image.fromarray(np.asarray(gray, np.float32) / 255), "TIFF")))
    files.append(("alpha.tif", _saved(cutout, "TIFF")))
    if "AVIF" in FORMATS:
        files.append(("photo.avif", _saved(image, "AVIF")))
    try:
        from PIL import ImageCms

        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        files.append(("profile.jpg", _saved(image, "JPEG", icc_profile=profile)))
        files.append(("profile.png", _saved(image, "PNG", icc_profile=profile)))
    except ImportError:
        pass
    return tuple(files)


def masks() -> Files:
    """Masks in black and white, of every mode that people save them in."""
    _, labels = _person()
    skin = Image.fromarray(np.where(labels % 3 == 0, 255, 0).astype(np.uint8))
    cut = Image.new("RGBA", skin.size, (255, 255, 255, 255))
    cut.putalpha(skin)
    return (
        ("gray.png", _saved(skin, "PNG")),
        ("rgb.png", _saved(skin.convert("RGB"), "PNG")),
        ("bits.png", _saved(skin.convert("1"), "PNG")),
        ("alpha.png", _saved(cut, "PNG")),
        ("palette.png", _saved(skin.convert("P"), "PNG", transparency=0)),
        ("ones.png", _saved(Image.fromarray(np.asarray(skin) // 255), "PNG")),
        ("deep.png", _saved(Image.fromarray(np.asarray(skin, np.uint16) * 257), "PNG")),
        ("mask.jpg", _saved(skin, "JPEG")),
        ("mask.gif", _saved(skin, "GIF")),
        ("mask.tif", _saved(skin, "TIFF")),
    )


def label_maps() -> Files:
    """Label maps of a drawn person as codes and in DeepFashion's colors."""
    _, labels = _person()
    colors = {name: color for color, name in PALETTES["files"].items()}
    table = np.array([colors[name] for name in CLASSES], np.uint8)
    codes = Image.fromarray(labels)
    indexed = Image.fromarray(labels)
    indexed.putpalette(table.ravel().tolist())
    painted = Image.fromarray(table[labels])
    return (
        ("codes.png", _saved(codes, "PNG")),
        ("indexed.png", _saved(indexed, "PNG")),
        ("clear.png", _saved(indexed, "PNG", transparency=0)),
        ("painted.png", _saved(painted, "PNG")),
        ("painted.gif", _saved(painted.quantize(32), "GIF")),
        ("deep.png", _saved(Image.fromarray(labels.astype(np.uint16)), "PNG")),
        ("painted.jpg", _saved(painted, "JPEG", quality=100)),
    )


def poses() -> Files:
    """Poses of a drawn person as OpenPose of any age, ControlNet and Dress Code write them."""
    points = draw_person(0, SIZE).points
    flat = [round(float(value), 3) for value in points.ravel()]
    ranged = [round(float(value), 4) for value in (points / [SIZE[1], SIZE[0], 1]).ravel()]
    eighteen = flat[: 18 * 3]
    person = {"person_id": [-1], "pose_keypoints_2d": flat, "face_keypoints_2d": []}
    values: tuple[Any, ...] = (
        {"version": 1.3, "people": [person]},
        {"version": 1.3, "people": [person, {"pose_keypoints_2d": []}, person]},
        {"people": [{"pose_keypoints": eighteen}]},
        {"people": []},
        {"keypoints": [[x, y, 1.0, index] for index, (x, y, _) in enumerate(points[:18].tolist())]},
        [{"people": [{"pose_keypoints_2d": ranged}], "canvas_width": SIZE[1], "canvas_height": SIZE[0]}],
        {"people": [{"pose_keypoints_2d": ranged, "hand_left_keypoints_2d": None}],
         "canvas_width": 512, "canvas_height": 768},
    )  # fmt: skip
    return tuple((f"pose_{index}.json", json.dumps(value).encode()) for index, value in enumerate(values))


def point_lists() -> Files:
    """DeepFashion-MultiModal's lists of keypoints."""
    row = " ".join(str(number) for number in range(42))
    return (("keypoints_loc.txt", f"a_front.jpg {row}\nb_front.jpg {row}\n".encode()),)


def specs() -> Files:
    """Specs of both tasks, and an ablation."""
    training = {"epochs": 2, "batch_size": 4, "device": "cpu", "threads": 1}
    inpainting = {
        "skinfw": 1, "name": "tiny",
        "data": {"dataset": {"type": "mannequins", "count": 40}, "size": [32, 32], "test_fraction": 0.2,
                 "inputs": ["apparel_head_foot", {"type": "line"}, "segmentation_skin"], "mask_margin": 2},
        "generator": {"type": "pix2pix", "base_channels": 4, "dropout": 0.3},
        "discriminator": {"type": "patchgan", "patch": 16},
        "losses": [{"type": "l1", "weight": 100, "region": "mask"}, "gan"],
        "augmentations": ["flip", {"type": "affine", "degrees": 10}],
        "composite": "mask", "metrics": [{"type": "psnr", "regions": ["image", "arms"]}, "seam"],
        "training": {**training, "betas": [0.5, 0.999], "schedule": "linear"},
    }  # fmt: skip
    segmentation = {
        "skinfw": 1, "name": "parser", "task": "segmentation",
        "data": {"root": "photos", "size": [32, 24], "flip_classes": [["head", "feet"]]},
        "network": {"type": "smp", "encoder": "tu-test_resnet"}, "training": training,
        "augmentations": ["flip", {"type": "rotate", "degrees": 5}],
        "losses": [{"type": "cross_entropy", "class_weights": {"skin": 2}}, {"type": "dice", "weight": 0.5}],
    }  # fmt: skip
    two_stage = {
        **inpainting,
        "generator": {"type": "two_stage", "coarse": {"type": "pix2pix"}, "refiner": "pix2pix"},
    }
    return tuple(
        (f"{name}.json", json.dumps(value).encode())
        for name, value in (("inpainting", inpainting), ("segmentation", segmentation), ("nested", two_stage))
    )


def ablations() -> Files:
    """An ablation with a base in it."""
    base = json.loads(specs()[0][1])
    value = {
        "skinfw": 1, "name": "try", "question": "Which?", "base": base, "seeds": [0, 1],
        "variants": {"skin": {}, "whole": {"composite": "none", "training": {"epochs": 1}}},
        "sizes": {"smoke": {"seeds": [0], "patch": {"training": {"epochs": 1}}}}, "size": "smoke",
    }  # fmt: skip
    return (("ablation.json", json.dumps(value).encode()),)


def reports() -> Files:
    """The report's dictionary."""
    text = """config_file = {
    "num_epochs": 120, "dataset_folder_path": "data/*", "img_size": (512, 512),
    "train_batch_size": 32, "learning_rate_generator": 2e-4,
    "learning_rate_discriminator": 2e-5, "betas": (0.5, 0.999), "path_results": "results",
    "input_name_list": ["apparel_head_foot"], "add_discriminator_input_data": True,
    "adv_loss": True, "l1_loss": True, "mask": False,
}
"""
    return (("report.txt", text.encode()),)


def photo_lists() -> Files:
    """Lists of photos as CSV, JSON lines and text."""
    return (
        ("list.csv", b"photo,view,group\na/1.jpg,front,a\nb/2.png,,b\nhttp://127.0.0.1:1/c.jpg,back,\n"),
        ("semicolons.csv", b'Photo;View;Group\n"a/1.jpg";front;a\nb 2.png;side;b\n'),
        (
            "list.jsonl",
            b'{"photo": "a/1.jpg", "view": "front"}\n"b/2.png"\n{"url": "http://127.0.0.1:1/c.jpg"}\n',
        ),
        ("list.txt", b"# photos\na/1.jpg\nb/2.png\nhttp://127.0.0.1:1/c.jpg\n"),
    )


def archives() -> Files:
    """Photos with poses as zip and tar."""
    image = photos()[0][1]
    members = {"anna/1_front.png": image, "anna/1_front.json": b"{}", "berta/2_front.png": image}
    plain, packed = io.BytesIO(), io.BytesIO()
    for stream, method in ((plain, zipfile.ZIP_STORED), (packed, zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(stream, "w", method) as file:
            for name, data in members.items():
                file.writestr(name, data)
    files = [("stored.zip", plain.getvalue()), ("packed.zip", packed.getvalue())]
    for suffix, mode in (("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz"), ("tar.bz2", "w:bz2")):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        files.append((f"photos.{suffix}", stream.getvalue()))
    return tuple(files)


def checkpoints() -> Files:
    """A checkpoint of a tiny generator."""
    import tempfile
    from pathlib import Path

    import torch

    from skinfw.runs.checkpoint_header import Progress
    from skinfw.runs.checkpoints import save_checkpoint
    from skinfw.specs.spec import parse_spec

    spec = parse_spec(json.loads(specs()[0][1]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "best.safetensors"
        save_checkpoint(path, {"generator.weight": torch.ones(2, 3)}, spec, Progress(3, 1, 0, "data"))
        return (("best.safetensors", path.read_bytes()),)


def registries() -> Files:
    """A manifest of a plugin."""
    entry = (
        '[[component]]\nkind = "loss"\nname = "mine"\ntarget = "mine:Loss"\nconfig = "mine.config:Config"\n'
        'summary = "One of my own."\nextra = "mine"\n'
    )
    return (("registry.toml", (entry + entry.replace("mine", "other")).encode()),)


def excluded() -> Files:
    """Names of samples that were excluded."""
    return (("excluded.jsonl", b'"anna/1_front"\n"berta/2_front"\n"a\\nb"\n'),)


def logs() -> Files:
    """The log of a run."""
    step = {"event": "step", "step": 1, "epoch": 0, "losses": {"l1": 0.5}, "seconds_per_step": 0.2}
    records = [
        step, {**step, "step": 2},
        {"event": "evaluation", "step": 2, "epoch": 1, "values": {"image/psnr": 9.5, "skin/psnr": None}},
    ]  # fmt: skip
    return (("log.jsonl", "".join(json.dumps(record) + "\n" for record in records).encode()),)


def shard_indexes() -> Files:
    """The index of two shards."""
    with tempfile.TemporaryDirectory() as name:
        with ShardWriter(Path(name), 2 * tarfile.RECORDSIZE, 4) as writer:
            for number in range(6):
                files = {"apparel_head_foot.png": bytes(4000), "body.png": b"x" * number}
                writer.add(f"anna/{number}", files, group="anna", segmenter="haar", digest=f"{number:064x}")
        return ((INDEX_FILE, Path(name, INDEX_FILE).read_bytes()),)


def records() -> Files:
    """What prepare records of a sample."""
    value = {
        "skinfw": 1, "name": "anna/1_front", "view": "front", "group": "anna", "size": [48, 40],
        "classes": ["background", "face"],
        "made_with": {"pose_encoder": {"type": "openpose", "draw": "lines"}},
    }  # fmt: skip
    return (("sample.json", json.dumps(value).encode()),)
