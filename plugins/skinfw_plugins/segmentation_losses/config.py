"""The configurations of the built-in segmentation losses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from skinfw.components.config import SegmentationLossConfig


class CrossEntropyConfig(SegmentationLossConfig):
    """The mean cross-entropy of the pixels."""

    class_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict,
        description='weights per class, for rare ones, for example {"feet": 2}; 1 for classes not named',
    )

    @property
    def named_classes(self) -> tuple[str, ...]:
        """The classes with a weight."""
        return tuple(self.class_weights)


class DiceConfig(SegmentationLossConfig):
    """The Dice loss: 1 minus the overlap of prediction and truth, the mean over the classes of a step."""
