"""The ComfyUI node of the examples, by ComfyUI's conventions: it needs no ComfyUI."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from skinfw.inference.inpainter import Inpainter

FOLDER = Path(__file__).parents[3] / "examples" / "comfyui"


@pytest.fixture
def nodes(inpainter: Inpainter, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the folder as ComfyUI does, with the model of the drawn person."""
    spec = importlib.util.spec_from_file_location("comfyui_node", FOLDER / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    asked: list[Any] = []

    def load(*names: Any, **components: Any) -> Inpainter:
        asked.append((*names, components))
        return inpainter

    monkeypatch.setattr(module.Inpainter, "load", load)
    module.asked = asked  # type: ignore[attr-defined]
    return module


def test_image_and_mask_in_image_and_provenance_out(
    nodes: ModuleType, inpainter: Inpainter, photo: Path, arms: np.ndarray
) -> None:
    pixels = np.asarray(Image.open(photo))
    for name, node in nodes.NODE_CLASS_MAPPINGS.items():
        assert name in nodes.NODE_DISPLAY_NAME_MAPPINGS
        inputs = node.INPUT_TYPES()
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
    defaults = {key: options["default"] for key, (_, options) in inputs["optional"].items()}
    image = torch.from_numpy(pixels / np.float32(255))[None].repeat(2, 1, 1, 1)
    mask = torch.from_numpy(arms).float()[None]
    painted, provenance = getattr(node(), node.FUNCTION)(image=image, mask=mask, model="m.onnx", **defaults)
    assert nodes.asked == [("m.onnx", {"segmenter": "skin_color", "pose_encoder": "bodypix"})]
    assert (painted.shape, painted.dtype) == (image.shape, torch.float32)
    assert torch.equal(provenance[1], mask[0])
    expected = inpainter.paint(pixels, arms).image
    with pytest.raises(ValueError, match="2 images need as many masks, or one; there are 3"):
        node().paint(image, mask.repeat(3, 1, 1), "m.onnx")
    for each in painted:
        assert torch.equal(each[~mask[0].bool()], image[0][~mask[0].bool()])
        assert np.array_equal((each.numpy() * 255).round().astype(np.uint8), expected)
