"""The settings of prepare. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from skinfw.config import StrictModel

View = Literal["front", "side", "back", "full", "additional"]
"""Views of a photo as DeepFashion names them; a pose alone tells front, side and back apart."""

BodyShown = Literal["full", "upper"]
"""Whether the feet are in the picture."""


class PersonCrop(StrictModel):
    """A crop around the person."""

    aspect: float = Field(
        default=2.0,
        gt=0.1,
        lt=10,
        description="height divided by width, for instance 2 for pictures of 256x128",
    )
    margin: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="room around the person on every side, as a fraction of the person's longer side",
    )


def _crop_tag(value: Any) -> str:
    return "person" if isinstance(value, dict | PersonCrop) else "none"


Crop = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[PersonCrop, Tag("person")],
    # told apart by hand, so that a fault is told once and not for each alternative
    Discriminator(_crop_tag),
]


class PrepareConfig(StrictModel):
    """How photos become sample folders."""

    margin: int = Field(
        default=3,
        ge=0,
        le=100,
        description=(
            "pixels of the photo that the removed skin grows, so that no true skin leaks where label edges "
            "are off; the mask that is kept does not grow (in 512x512 street photos with hand-drawn labels, "
            "the share of skin-coloured pixels in clothes is 11 points above its usual 4% at 1 pixel from "
            "the skin, and 1 point at 4)"
        ),
    )
    crop: Crop = Field(default="none", description="none, or the person with a margin at an aspect")
    views: tuple[View, ...] = Field(default=("front",), min_length=1, description="views that are kept")
    body: Literal["any", "full", "upper"] = Field(
        default="any", description="keep everybody, only people with their feet, or only those without"
    )
    least_skin: float = Field(
        default=0.0, ge=0, le=1, description="smallest share of the person's pixels that must be skin"
    )
    on_error: Literal["skip", "fail"] = Field(
        default="skip", description="what a photo that cannot be used does: be left out, or stop everything"
    )
    workers: int | None = Field(
        default=None, ge=1, le=256, description="processes; null: one for each core that may be used"
    )
