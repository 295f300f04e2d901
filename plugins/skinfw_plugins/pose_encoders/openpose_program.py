"""Running OpenPose's own program on one image."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError
from skinfw.system.program import run_program

IMAGE = "image"


def run_openpose(
    image: RgbImage, binary: Path, model_folder: Path | None, timeout: float, folder: Path
) -> Path:
    """Find people in an image with OpenPose.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
        binary: the program.
        model_folder: its models folder; None: the program's default.
        timeout: seconds after which it is killed.
        folder: an empty folder to work in.

    Returns:
        the JSON file that it wrote, with BODY_25 keypoints in pixels of the image.

    Raises:
        UserError: the program cannot be started.
        DataError: it failed, took too long or wrote nothing; the message quotes the end of its output.
    """
    images, results = folder / "images", folder / "results"
    images.mkdir()
    results.mkdir()
    Image.fromarray(image).save(images / f"{IMAGE}.png")
    command = [
        str(binary),
        *("--image_dir", str(images)),
        *("--write_json", str(results)),
        *("--display", "0"),
        *("--render_pose", "0"),
        *("--model_pose", "BODY_25"),
        *(() if model_folder is None else ("--model_folder", str(model_folder))),
    ]
    output = run_program(command, timeout, "one image")
    found = sorted(results.glob("*.json"))
    if len(found) != 1:
        raise DataError(f"{binary}: wrote no JSON file: {output}")
    return found[0]
