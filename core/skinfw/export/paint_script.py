"""Paint one person with an exported model; needs numpy, Pillow and onnxruntime (and OpenCV, if it has alpha).

python paint.py FOLDER OUTPUT.png [MODEL.onnx]: FOLDER holds one image per input of the model, named as the
input (NAME.png, or NAME.npy if it does not have three channels). Default model: the file beside this one.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, from which on it reports its use
import onnxruntime
from PIL import Image


def read(folder: Path, name: str, size: tuple[int, int]) -> np.ndarray:
    """Return an image on white at a height and width, uint8 (1, H, W, C); masks stay black and white."""
    if (folder / f"{name}.npy").is_file():
        return np.asarray(np.load(folder / f"{name}.npy", allow_pickle=False))[None]
    image = Image.open(folder / f"{name}.png").convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    method = Image.Resampling.NEAREST if image.getcolors(2) else Image.Resampling.BOX
    return np.asarray(image if image.size == size[::-1] else image.resize(size[::-1], method))[None]


def over_background(painted: np.ndarray, base: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the skin in the mask over a background inpainted from around it, uint8 (H, W, 3)."""
    try:
        import cv2
    except ImportError:
        sys.exit("a model with alpha needs OpenCV: pip install opencv-python-headless")
    behind = cv2.inpaint(base, mask, 3, cv2.INPAINT_TELEA).astype(np.float32)
    mixed = np.rint(behind + painted[..., 3:] / np.float32(255) * (painted[..., :3] - behind))
    return np.where(mask[..., None] > 0, mixed.astype(np.uint8), base)


def main(folder: str, output: str, model: str = "") -> None:
    """Paint the person in a folder and write a PNG file."""
    path = model or str(next(Path(__file__).parent.glob("*.onnx")))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    about = json.loads(session.get_modelmeta().custom_metadata_map["skinfw"])
    size = (about["size"][0], about["size"][1])
    images = {each["name"]: read(Path(folder), each["name"], size) for each in about["inputs"]}
    painted, finite = session.run(["output", "finite"], images)
    if not finite.all():
        sys.exit(f"{path}: the network returned NaN or infinity")
    image = painted[0]
    if image.shape[2] == 4:  # alpha: how much of each pixel is skin
        image = over_background(image, images["apparel_head_foot"][0], images["mask"][0, ..., 0])
    Image.fromarray(image).save(output, format="PNG")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    main(*sys.argv[1:])
