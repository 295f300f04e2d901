"""Running OpenPose's own program on one image."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError, UserError

IMAGE = "image"

_TOLD = 400
"""Maximum characters of the program's output that an error quotes."""


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
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"{binary}: took longer than {timeout:g} seconds for one image and was stopped; raise timeout, "
            "or check whether it finds its GPU"
        ) from error
    except OSError as error:
        raise UserError(
            f"{binary}: OpenPose cannot be started: {error.strerror}; give the path of its program"
        ) from error
    found = sorted(results.glob("*.json"))
    if done.returncode or len(found) != 1:
        said = " ".join((done.stderr + done.stdout).split())[-_TOLD:]
        what = f"failed with exit code {done.returncode}" if done.returncode else "wrote no JSON file"
        raise DataError(f"{binary}: {what}: {said or 'it said nothing'}")
    return found[0]
