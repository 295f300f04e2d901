"""Inpainting pipelines of diffusers, as baselines; needs the extra ``diffusers``."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.utils.logging import disable_progress_bar
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers.utils.logging import disable_progress_bar as disable_weights_bar

from skinfw.components.field_names import APPAREL, MASK
from skinfw.data.pixel_types import image_tensor
from skinfw.data.segmentation import RgbImage
from skinfw.errors import DataError, UserError, first_line
from skinfw.inference.composite import to_uint8
from skinfw.interfaces import Generator
from skinfw_plugins.generators.condition_masks import mask_of
from skinfw_plugins.generators.config_others import DiffusersConfig
from skinfw_plugins.generators.framing import Frame
from skinfw_plugins.networks.pipeline_folder import PipelineFolder

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}

_ARGUMENTS = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "strength": "strength",
}
"""The pipelines' names of the fields that they get."""


class DiffusersGenerator(Generator[DiffusersConfig]):
    """Fills the inpainting mask with a pipeline of diffusers.

    The pipeline gets one image at a time, each with its own seed, so an image does not depend on its batch.
    Outside the mask every pixel stays as it is. Nothing is trained.
    """

    @cached_property
    def folder(self) -> PipelineFolder:
        """The pipeline's folder.

        Raises:
            UserError: it is not one, or names code of others.
        """
        return PipelineFolder(self.config.path)

    def fingerprint(self) -> str:
        """Return a hash of the pipeline's files, and the version of diffusers."""
        return f"{self.folder.fingerprint()} {diffusers.__version__}"

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        """Inpaint a batch; ``noise`` is not used. See `Generator.forward`.

        Raises:
            UserError: the pipeline cannot be loaded, does not inpaint, or cannot be run at this size.
            DataError: it returns NaN, or its safety checker blanks an image.
        """
        pipeline = self._pipeline.to(condition.device, _DTYPES[self.config.precision])
        images = to_uint8(condition[:, self.io.channels_of(APPAREL)])
        regions = mask_of(condition, self.io.channels_of(MASK))[:, 0].cpu().numpy()
        painted = []
        for image, region in zip(images, regions, strict=True):
            frame = Frame.of((region.shape[0], region.shape[1]), self.config.size, self.config.multiple_of)
            mask = frame.put(np.where(region, np.uint8(255), np.uint8(0))[..., None], mask=True)
            found = frame.take(self._run(pipeline, frame.put(image), mask))
            painted.append(np.where(region[..., None], found, image))
        return image_tensor(painted).to(condition.device)

    @cached_property
    def _pipeline(self) -> Any:
        folder = self.folder  # checked, whatever runs it
        named = self.config.pipeline or folder.pipeline
        kind: Any = getattr(diffusers, named, None)
        is_pipeline = isinstance(kind, type) and issubclass(kind, diffusers.DiffusionPipeline)
        if not is_pipeline:
            raise UserError(
                f"{self.config.path}: {named} is not a pipeline of diffusers {diffusers.__version__}; set "
                "pipeline to one"
            )
        if not {"image", "mask_image"} <= set(_parameters(kind)):
            raise UserError(
                f"{self.config.path}: {named} does not inpaint, as it takes no image and mask_image; set "
                "pipeline to one that runs the same parts, such as StableDiffusionInpaintPipeline"
            )
        if kind._load_connected_pipes:
            raise UserError(
                f"{self.config.path}: {named} loads other pipelines from the hub, which is not "
                "done; set pipeline to another class"
            )
        disable_progress_bar()
        disable_weights_bar()
        try:
            pipeline = kind.from_pretrained(
                self.config.path,
                use_safetensors=True,
                local_files_only=True,
            )
        except Exception as error:  # diffusers and transformers raise many exceptions
            raise UserError(
                f"{self.config.path}: cannot be loaded as {named} with safetensors: {first_line(error)}"
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        """What the pipeline gets besides the image.

        Raises:
            UserError: the configuration sets something that the pipeline does not take.
        """
        taken = _parameters(type(self._pipeline))
        values = {field: getattr(self.config, field) for field in _ARGUMENTS}
        rejected = [
            field
            for field in self.config.model_fields_set & set(_ARGUMENTS)
            if values[field] is not None and _ARGUMENTS[field] not in taken
        ]
        if rejected:
            raise UserError(
                f"{self.config.path}: {type(self._pipeline).__name__} takes no "
                f"{' and no '.join(sorted(rejected))}; leave it out"
            )
        given = {_ARGUMENTS[field]: value for field, value in values.items() if value is not None}
        return {name: value for name, value in given.items() if name in taken}

    def _run(self, pipeline: Any, image: RgbImage, mask: NDArray[np.uint8]) -> RgbImage:
        """Return the image that the pipeline paints, uint8 RGB ``(h, w, 3)``."""
        height, width = mask.shape[:2]
        size = {"height": height, "width": width}
        arguments = {**self._arguments, **{k: v for k, v in size.items() if k in _parameters(type(pipeline))}}
        try:
            result = pipeline(
                image=Image.fromarray(image),
                mask_image=Image.fromarray(mask[..., 0]),
                generator=torch.Generator().manual_seed(self.config.seed),
                output_type="np",
                **arguments,
            )
        except Exception as error:  # whatever its parts raise for a size, or without memory
            raise UserError(
                f"{self.config.path}: cannot inpaint {height}x{width}: {first_line(error)}"
            ) from error
        values = np.asarray(result.images[0], dtype=np.float32)
        if not np.isfinite(values).all():
            raise DataError(
                f"{self.config.path}: its image is not finite (NaN or infinity); set precision to float32 or "
                "bfloat16"
            )
        if values.shape != (height, width, 3):
            raise UserError(
                f"{self.config.path}: it returns {values.shape[0]}x{values.shape[1]} for {height}x{width}; "
                "set size or multiple_of to multiples that it keeps"
            )
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise DataError(
                f"{self.config.path}: its safety checker blanked an image; change prompt, or set "
                "safety_checker to [null, null] in a copy of its model_index.json"
            )
        painted: RgbImage = np.rint(values.clip(0, 1) * 255).astype(np.uint8)
        return painted


def _parameters(kind: type) -> list[str]:
    return list(inspect.signature(kind.__call__).parameters)
