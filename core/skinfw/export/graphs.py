"""What is exported: a network between images in 8 bits and its result in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skinfw.components.config import Size
from skinfw.components.field_names import APPAREL
from skinfw.inference.composite import COLORS, COMPOSITE_FIELDS, composite_mask, over
from skinfw.interfaces import Generator, SegmentationNetwork
from skinfw.specs.spec import Composite, Spec


def graph_inputs(spec: Spec) -> tuple[str, ...]:
    """Return the names of the graph's inputs: the spec's in their order, then the composite's."""
    used = COMPOSITE_FIELDS[spec.composite]
    return tuple(dict.fromkeys([*spec.data.input_names, *([APPAREL, used] if used else [])]))


class InpaintingGraph(nn.Module):
    """A generator with scaling, noise and composite.

    The image of a generator with alpha is not composited, because that needs a background, which no graph
    inpaints; see `skinfw.inference.background.over_background`.

    Args:
        generator: the trained network.
        inputs: names of the images that `forward` gets, in its order.
        condition: how many of them, from the first, the generator sees.
        mode: which pixels come from the generator.
        noise: the same noise for every image, ``(1, ...)``; None for a generator without.
        dtype: the type that the generator computes in.
    """

    def __init__(
        self,
        generator: Generator[Any],
        inputs: Sequence[str],
        condition: int,
        mode: Composite,
        noise: Tensor | None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.generator = generator.to(dtype)
        self.inputs = tuple(inputs)
        self.condition = condition
        self.mode = mode
        self.dtype = dtype
        self.noise: Tensor | None
        self.register_buffer("noise", noise)

    def forward(self, *images: Tensor) -> tuple[Tensor, Tensor]:
        """Inpaint a batch.

        Args:
            *images: in the order of the inputs, each uint8 ``(B, H, W, C)``.

        Returns:
            the painted images, uint8 ``(B, H, W, 3)``, or the generator's own with their alpha,
            ``(B, H, W, 4)``; and for each whether the generator returned numbers, bool ``(B,)``.
        """
        # put together in 8 bits, where that moves the least memory
        levels = torch.cat(images[: self.condition], dim=3).permute(0, 3, 1, 2).to(torch.float32)
        condition = levels / 255
        output = self.generator(condition.to(self.dtype), self._noise(condition)).to(torch.float32)
        finite = output.isfinite().flatten(1).all(dim=1)
        painted = (output * 255).round().clamp(0, 255)
        if self.mode != "none" and output.shape[1] == COLORS:
            given = dict(zip(self.inputs, images, strict=True))
            planes = {
                name: image.permute(0, 3, 1, 2)[:, : 3 if name == APPAREL else 1].to(torch.float32)
                for name, image in given.items()
                if name in (APPAREL, COMPOSITE_FIELDS[self.mode])
            }
            masks = {name: plane[:, :1] / 255 for name, plane in planes.items()}
            # exact for whole numbers and a mask of 0 and 1, and ten times as fast as a choice in ONNX Runtime
            painted = over(painted, composite_mask(self.mode, masks), planes[APPAREL])
        return painted.to(torch.uint8).permute(0, 2, 3, 1), finite

    def _noise(self, condition: Tensor) -> Tensor | None:
        """Return the noise of a batch; noise with pixels is repeated like tiles to the images' size."""
        noise = self.noise
        if noise is None:
            return None
        if noise.ndim == 4:
            height, width = noise.shape[-2:]
            rows, columns = (torch.arange(side, device=noise.device) for side in condition.shape[-2:])
            noise = noise[:, :, rows % height][:, :, :, columns % width]
        return noise.expand(condition.shape[0], *noise.shape[1:]).to(self.dtype)


def noise_fits_any_size(generator: Generator[Any], size: Size) -> bool:
    """Return whether noise for one size serves others: it has pixels, or does not depend on the size."""
    shape, other = (generator.noise_shape(each) for each in (size, (2 * size[0], 2 * size[1])))
    return shape == other or (len(shape) == 3 and shape[1:] == size)


class ParserGraph(nn.Module):
    """A segmentation network with scaling.

    Args:
        network: the trained network.
        dtype: the type that it computes in.
    """

    def __init__(self, network: SegmentationNetwork[Any], dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network = network.to(dtype)
        self.dtype = dtype

    def forward(self, *images: Tensor) -> Tensor:
        """Label a batch.

        Args:
            *images: one, uint8 RGB ``(B, H, W, 3)``.

        Returns:
            logits, float32 ``(B, classes, H, W)``.
        """
        values = images[0].permute(0, 3, 1, 2).to(torch.float32) / 255
        logits: Tensor = self.network(values.to(self.dtype))
        return logits.to(torch.float32)
