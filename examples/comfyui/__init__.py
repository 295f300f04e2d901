"""A ComfyUI node that paints missing skin: image and mask in, image and provenance out.

Copy this folder into ComfyUI's ``custom_nodes`` and install skinfw into ComfyUI's Python.
"""

from functools import lru_cache

import numpy as np
import torch

from skinfw import Inpainter


@lru_cache(maxsize=2)
def load(model: str, segmenter: str, pose_encoder: str) -> Inpainter:
    """Load a model once; empty names take the components that prepared its training photos."""
    return Inpainter.load(model, segmenter=segmenter or None, pose_encoder=pose_encoder or None)


class SkinfwPaint:
    """Paints the masked skin of each image; the provenance mask is 1 where pixels are new."""

    CATEGORY = "image/skinfw"
    FUNCTION = "paint"
    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("image", "provenance")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, tuple[object, ...]]]:  # noqa: N802 - ComfyUI's name
        return {
            "required": {
                "image": ("IMAGE",),
                "mask": ("MASK",),
                "model": ("STRING", {"default": "", "tooltip": "a run folder, checkpoint or .onnx file"}),
            },
            "optional": {
                "segmenter": ("STRING", {"default": "skin_color"}),
                "pose_encoder": ("STRING", {"default": "bodypix"}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**32 - 1}),
            },
        }

    def paint(
        self,
        image: torch.Tensor,
        mask: torch.Tensor,
        model: str,
        segmenter: str = "skin_color",
        pose_encoder: str = "bodypix",
        seed: int = 0,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Paint a batch.

        Args:
            image: float RGB ``(B, H, W, 3)`` in [0, 1].
            mask: float ``(B, H, W)``, or ``(1, H, W)`` for all images; above 0.5 is painted.
            model: what to paint with.
            segmenter: a name; empty for the model's own.
            pose_encoder: likewise.
            seed: chooses the fine structure of the skin.

        Returns:
            the images, with all other pixels as they were, and where they are new, float ``(B, H, W)``.

        Raises:
            ValueError: there are neither as many masks as images, nor one.
        """
        if len(mask) not in (1, len(image)):
            raise ValueError(f"{len(image)} images need as many masks, or one; there are {len(mask)}")
        image = image[..., :3]
        inpainter = load(model, segmenter, pose_encoder)
        painted, provenance = image.clone(), torch.zeros(image.shape[:3])
        for number, picture in enumerate(image):
            where = (mask[number % len(mask)] > 0.5).cpu().numpy()
            pixels = (picture.cpu().numpy() * 255).round().clip(0, 255).astype(np.uint8)
            made = inpainter.paint(pixels, where, seed=seed)
            new = torch.from_numpy(made.mask)
            painted[number][new] = torch.from_numpy(made.image).to(picture)[new] / 255
            provenance[number] = new
        return painted, provenance


NODE_CLASS_MAPPINGS = {"SkinfwPaint": SkinfwPaint}
NODE_DISPLAY_NAME_MAPPINGS = {"SkinfwPaint": "Paint skin (skinfw)"}
