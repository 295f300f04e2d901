"""Paint one person with an exported model; needs numpy, Pillow and onnxruntime alone.

python paint.py FOLDER OUTPUT.png [MODEL.onnx]: FOLDER holds one image per input of the model, named as the
input (NAME.png, or NAME.npy if it does not have three channels). Default model: the file beside this one.
"""

import json
import sys
from pathlib import Path

import numpy as np
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
    Image.fromarray(painted[0]).save(output, format="PNG")


if __name__ == "__main__":
    main(*sys.argv[1:])
