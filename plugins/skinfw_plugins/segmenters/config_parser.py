"""Configuration of the segmenter that skinfw trains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from skinfw.components.config import ComponentConfig
from skinfw.components.origin import Origin
from skinfw.models.named import ModelPath


class ParserConfig(ComponentConfig):
    """Which trained network segments the photos."""

    path: Annotated[
        ModelPath, Origin("train one on photos with label maps: skinfw run examples/parser.json")
    ] = Field(
        description="folder of a run with the task segmentation, whose best checkpoint is used, a "
        "checkpoint file, such as best.safetensors, a model on the hub like hub:ORG/NAME@COMMIT, or one of "
        "skinfw like skinfw:NAME (see skinfw list models)",
        examples=["runs/parser"],
    )
    flip: bool = Field(
        default=False,
        description="segment the mirrored photo too and average the two (test-time augmentation): twice the "
        "time",
    )
    device: Literal["auto", "cpu"] = Field(
        default="auto", description="auto uses an accelerator if there is one"
    )

    def trained_by(self) -> Path | None:
        """Return the run. See `ComponentConfig.trained_by`."""
        return self.path
