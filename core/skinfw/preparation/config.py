"""The settings of prepare. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from skinfw.components.strict_model import StrictModel

View = Literal["front", "side", "back", "full", "additional"]
"""Views of a photo as DeepFashion names them; a pose alone tells front, side and back apart."""

BodyShown = Literal["full", "upper"]
"""Whether the feet are in the image."""


class PersonCrop(StrictModel):
    """A crop around the person."""

    aspect: float = Field(
        default=2.0,
        gt=0.1,
        lt=10,
        description="height divided by width, for instance 2 for images of 256x128",
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
    # the tag is chosen here, so that an error is reported once and not for each alternative
    Discriminator(_crop_tag),
]


class FetchConfig(StrictModel):
    """How photos that are named by a URL are fetched; robots.txt always counts."""

    rate: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="most requests a second to one host; its Crawl-delay counts too",
    )
    timeout: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="seconds that a host may stay silent; a file may take ten times as long in all",
    )
    retries: int = Field(
        default=4,
        ge=0,
        le=20,
        description="further tries after a 429, a 5xx, a broken connection or half a file",
    )
    max_bytes: int = Field(
        default=50_000_000, ge=1, le=10**12, description="largest file that is fetched, in bytes"
    )


NEAR_DUPLICATE = 4
"""Bits in which the perceptual hashes of two copies of a photo may differ. Of 265,356 pairs of different
street photos none differ in fewer than 8 of the 64."""


class PrepareConfig(StrictModel):
    """How photos become sample folders."""

    margin: int = Field(
        default=3,
        ge=0,
        le=100,
        description=(
            "pixels of the photo that the removed skin grows, so that no true skin leaks where label edges "
            "are off; the mask that is kept does not grow (in 512x512 street photos with hand-drawn labels, "
            "the fraction of skin-colored pixels in clothes is 11 points above its usual 4% at 1 pixel from "
            "the skin, and 1 point at 4)"
        ),
    )
    crop: Crop = Field(default="none", description="none, or the person with a margin at an aspect")
    views: tuple[View, ...] = Field(default=("front",), min_length=1, description="views that are kept")
    body: Literal["any", "full", "upper"] = Field(
        default="any", description="keep everybody, only people with their feet, or only those without"
    )
    min_skin: float = Field(
        default=0.0, ge=0, le=1, description="smallest fraction of the person's pixels that must be skin"
    )
    people: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description=(
            "most people in a photo, counted by poses of at least 5 points and by patches of the person "
            "region; null: any number"
        ),
    )
    min_size: int = Field(
        default=1, ge=1, le=1_000_000, description="smallest shorter side of a photo, in pixels"
    )
    min_person: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="smallest longer side of the box around the person, in pixels",
    )
    max_cut_off: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description=(
            "largest fraction of the outline of the person's box that may be person on the photo's border; 0 "
            "for people who are whole"
        ),
    )
    min_sharpness: float = Field(
        default=0.0,
        ge=0,
        description=(
            "smallest variance of the Laplacian of the person's box in gray (0 to 255), its longer side "
            "resized to 256 pixels (729 sharp street photos have 500 to 7,700)"
        ),
    )
    require_classes: tuple[str, ...] = Field(
        default=(),
        description="classes of the label map of which one must be there, for instance dress; none: any",
    )
    exclude_classes: tuple[str, ...] = Field(
        default=(), description="classes of the label map of which none may be there, for instance bag"
    )
    min_class: float = Field(
        default=0.01, gt=0, le=1, description="fraction of the person's pixels from which on a class is there"
    )
    duplicates: Literal["keep", "drop"] = Field(
        default="keep",
        description=(
            "what happens to a photo that shows the same as an earlier one: kept (then both are on one "
            "side of the split), or left out"
        ),
    )
    duplicate_distance: int = Field(
        default=NEAR_DUPLICATE,
        ge=0,
        le=16,
        description=(
            "bits of 64 in which the perceptual hashes of two photos may differ to count as the same "
            "(different street photos differ in at least 8)"
        ),
    )
    fetch: FetchConfig = Field(
        default_factory=FetchConfig, description="how photos that are named by a URL are fetched"
    )
    check_labels: bool = Field(
        default=True,
        description="leave out photos whose label map cannot be right, for instance because it is of another "
        "label set: the head is not where the pose has it, or what is far from the person is not background",
    )
    on_error: Literal["skip", "fail"] = Field(
        default="skip", description="what a photo that cannot be used does: be left out, or stop everything"
    )
    num_workers: int | None = Field(
        default=None, ge=1, le=256, description="processes; null: one for each core that may be used"
    )
