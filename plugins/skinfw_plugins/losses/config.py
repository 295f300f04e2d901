"""Configurations of the built-in losses."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from skinfw.config import LossConfig


class L1Config(LossConfig):
    """Mean absolute difference (the report's section 5.2.3.3)."""

    weight: float = Field(
        default=1.0,
        ge=0,
        description="factor of this term in the sum of losses (pix2pix paper: 100 beside a gan term of 1)",
    )


class MseConfig(LossConfig):
    """Mean squared difference (the report's section 5.2.1.4)."""


class GanConfig(LossConfig):
    """The adversarial loss of pix2pix (the report's section 5.2.3.3)."""

    adversarial: ClassVar[bool] = True

    region: Literal["picture"] = Field(
        default="picture",
        description="pixels that count: the whole picture; patches have no region",
    )
