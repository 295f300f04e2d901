"""Paint one person with an exported model; needs numpy, Pillow and onnxruntime (and OpenCV, if it has alpha).

Usage: python paint.py FOLDER OUTPUT.png [MODEL.onnx]. FOLDER holds one image per input of the model, named as
the input (NAME.png, or NAME.npy if it does not have three channels) and exactly as large as the images that
the model was trained on; skinfw export-benchmark writes some. Default model: the only one beside this file.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, from which on it reports its use
import onnxruntime
from PIL import Image

ORIENTATION = 274
"""Number of the EXIF tag."""


def read(folder: Path, wanted: dict[str, Any], size: tuple[int, int]) -> np.ndarray:
    """Return an input of a height and width as skinfw reads it, uint8 (1, H, W, C)."""
    array, name = folder / f"{wanted['name']}.npy", wanted["name"]
    path = array if array.is_file() else folder / f"{name}.png"
    if not path.is_file():
        sys.exit(f"{path}: missing; the model needs {name}")
    try:
        image = np.load(path) if path == array else pixels(path)
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: cannot be read: {error}")
    if image.shape != (*size, wanted["channels"] if path == array else 4):
        shape = "x".join(map(str, image.shape[:2]))
        sys.exit(f"{path}: {shape} pixels (height x width), not {size[0]}x{size[1]}; skinfw generate resizes")
    if path == array:
        return image[None]
    colors, alpha = image[..., :3], image[..., 3:]
    if name == "apparel_head_foot":
        return np.where(alpha < 128, np.uint8(255), colors)[None]
    if alpha.min() < 255:
        sys.exit(f"{path}: has transparent pixels; save it without transparency")
    if not wanted.get("mask"):
        return colors[None]
    white = colors.max()
    if white not in (0, 1, 255) or not ((colors == 0) | (colors == white)).all() or np.ptp(colors, 2).any():
        sys.exit(f"{path}: a mask must be white where it is set and black elsewhere, without other colors")
    return np.where(colors > 0, np.uint8(255), np.uint8(0))[None]


def pixels(path: Path) -> np.ndarray:
    """Return a PNG file as uint8 RGBA (H, W, 4)."""
    with Image.open(path) as image:
        if (
            image.getexif().get(ORIENTATION, 1) not in (0, 1)
            or "icc_profile" in image.info
            or image.mode[0] in "IF"
        ):
            sys.exit(
                f"{path}: has an orientation, a color profile or 16-bit gray; skinfw generate converts them"
            )
        return np.asarray(image.convert("RGBA"))


def over_background(painted: np.ndarray, base: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the skin in the mask over a background inpainted from around it, uint8 (H, W, 3)."""
    try:
        import cv2
    except ImportError:
        sys.exit("a model with alpha needs OpenCV: pip install opencv-python-headless")
    behind = cv2.inpaint(base, mask, 3, cv2.INPAINT_TELEA).astype(np.float32)
    mixed = np.rint(behind + painted[..., 3:] / np.float32(255) * (painted[..., :3] - behind))
    return np.where(mask[..., None] > 0, mixed.astype(np.uint8), base)


def main(folder: str, output: str, *model: str) -> None:
    """Paint the person in a folder and write a PNG file."""
    found = model or sorted(map(str, Path(__file__).parent.glob("*.onnx")))
    if len(found) != 1:
        sys.exit(f"{len(found)} models beside {__file__}: name one as the last argument, MODEL.onnx")
    if not Path(found[0]).is_file():
        sys.exit(f"{found[0]}: no such model")
    try:
        session = onnxruntime.InferenceSession(found[0], providers=["CPUExecutionProvider"])
        about = json.loads(session.get_modelmeta().custom_metadata_map["skinfw"])
    except Exception as error:  # the errors of ONNX Runtime have no class in common
        sys.exit(f"{found[0]}: is not a model that skinfw exported: {error!r}")
    size = (about["size"][0], about["size"][1])
    images = {each["name"]: read(Path(folder), each, size) for each in about["inputs"]}
    painted, finite = session.run(["output", "finite"], images)
    if not finite.all():
        sys.exit(f"{found[0]}: the network returned NaN or infinity")
    image = painted[0]
    if image.shape[2] == 4:  # alpha: how much of each pixel is skin
        image = over_background(image, images["apparel_head_foot"][0], images["mask"][0, ..., 0])
    try:
        Image.fromarray(image).save(output, format="PNG")
    except OSError as error:
        sys.exit(f"{output}: cannot be written: {error}")


if __name__ == "__main__":
    if {"-h", "--help"} & {*sys.argv}:
        print(__doc__)
    elif len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    else:
        main(*sys.argv[1:])
