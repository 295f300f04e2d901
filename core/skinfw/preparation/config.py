"""The settings of prepare. Light: pydantic only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from skinfw.components.strict_model import StrictModel

View = Literal["front", "side", "back", "full", "additional"]
"""Views of a photo, named as in DeepFashion; from a pose, only front, side and back are recognized."""

BodyShown = Literal["full", "upper"]
"""Whether the feet are in the image."""


class PersonCrop(StrictModel):
    """A crop around the person."""

    aspect: float = Field(
        default=2.0,
        gt=0.1,
        lt=10,
        description="height divided by width, for example 2 for images of 256x128",
    )
    margin: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="margin around the person on every side, as a fraction of the person's longer side",
    )


def _crop_tag(value: Any) -> str:
    return "person" if isinstance(value, dict | PersonCrop) else "none"


Crop = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[PersonCrop, Tag("person")],
    # the tag is chosen here, so that an error is reported once and not for each alternative
    Discriminator(_crop_tag),
]


class FetchConfig(StrictModel):
    """How photos are downloaded from URLs; robots.txt is always obeyed."""

    rate: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="maximum requests per second to one host; its Crawl-delay is also obeyed",
    )
    timeout: float = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="seconds to wait for a host; a whole file may take ten times as long",
    )
    retries: int = Field(
        default=4,
        ge=0,
        le=20,
        description="retries after a 429, a 5xx, a broken connection or an incomplete file",
    )
    max_bytes: int = Field(
        default=50_000_000, ge=1, le=10**12, description="maximum size of a downloaded file in bytes"
    )


NEAR_DUPLICATE = 4
"""Bits by which the perceptual hashes of two copies of a photo may differ. Of 265,356 pairs of different
street photos none differ by fewer than 8 of the 64."""


class PrepareConfig(StrictModel):
    """How photos become sample folders."""

    margin: int = Field(
        default=3,
        ge=0,
        le=100,
        description=(
            "pixels of the photo by which the removed skin is dilated, so that no real skin leaks at "
            "imprecise label edges; the stored mask is not dilated (in 512x512 street photos with hand-drawn "
            "labels, "
            "the fraction of skin-colored pixels in clothes is 11 points above its usual 4% at 1 pixel from "
            "the skin, and 1 point at 4)"
        ),
    )
    crop: Crop = Field(default="none", description="none, or the person with a margin at an aspect ratio")
    views: tuple[View, ...] = Field(default=("front",), min_length=1, description="views to keep")
    body: Literal["any", "full", "upper"] = Field(
        default="any", description="keep everyone, only people with visible feet, or only those without"
    )
    min_skin: float = Field(
        default=0.0, ge=0, le=1, description="minimum fraction of the person's pixels that is skin"
    )
    people: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description=(
            "maximum number of people in a photo, counted by poses of at least 5 points and by patches of "
            "the person region; null: any number"
        ),
    )
    min_size: int = Field(
        default=1, ge=1, le=1_000_000, description="minimum shorter side of a photo in pixels"
    )
    min_person: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="minimum longer side of the box around the person in pixels",
    )
    max_cut_off: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description=(
            "maximum fraction of the outline of the person's box that is person on the photo's border; 0 "
            "keeps only whole people"
        ),
    )
    min_sharpness: float = Field(
        default=0.0,
        ge=0,
        description=(
            "minimum variance of the Laplacian of the person's box in gray (0 to 255), its longer side "
            "resized to 256 pixels (729 sharp street photos have 500 to 7,700)"
        ),
    )
    min_confidence: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description=(
            "minimum confidence of the segmenter, if it says how sure it is, as parser does: the mean "
            "probability of the labels of the person's pixels"
        ),
    )
    require_classes: tuple[str, ...] = Field(
        default=(),
        description="classes of the label map, at least one of which must be present, for example dress; "
        "empty: any",
    )
    exclude_classes: tuple[str, ...] = Field(
        default=(), description="classes of the label map, none of which may be present, for example bag"
    )
    min_class: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="minimum fraction of the person's pixels for a class to be present",
    )
    duplicates: Literal["keep", "drop"] = Field(
        default="keep",
        description=(
            "what happens to a near-duplicate of an earlier photo: keep it (on the same side of the split), "
            "or reject it"
        ),
    )
    duplicate_distance: int = Field(
        default=NEAR_DUPLICATE,
        ge=0,
        le=16,
        description=(
            "bits of 64 by which the perceptual hashes of near-duplicates may differ (different street "
            "photos differ by at least 8)"
        ),
    )
    fetch: FetchConfig = Field(default_factory=FetchConfig, description="how photos are downloaded from URLs")
    check_labels: bool = Field(
        default=True,
        description="reject photos with an implausible label map, for example of another label set: the head "
        "is not where the pose has it, or pixels far from the person are not background",
    )
    on_error: Literal["skip", "fail"] = Field(
        default="skip", description="what happens on an unusable photo: skip it, or stop everything"
    )
    num_workers: int | None = Field(
        default=None, ge=1, le=256, description="processes; null: one per available core"
    )
