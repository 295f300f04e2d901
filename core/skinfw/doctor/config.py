"""The limits of the doctor's checks. Light: pydantic only."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from skinfw.components.strict_model import StrictModel


class DoctorConfig(StrictModel):
    """The limits: the doctor reports everything above them (sizes: below)."""

    min_side: int = Field(default=64, ge=1, le=1_000_000, description="shortest side of an image in pixels")
    mask_gray: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="maximum fraction of a mask's pixels that are neither nearly black nor nearly white",
    )
    mask_outside: float = Field(
        default=0.1, gt=0, le=1, description="maximum fraction of the skin mask outside the person"
    )
    label_difference: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="maximum 1 - IoU between the skin of parsing.png and segmentation_skin",
    )
    loose_fraction: float = Field(
        default=0.15,
        gt=0,
        le=1,
        description="maximum fraction of the person's pixels outside the largest fragment (connected "
        "component; pixels that touch at a corner are connected)",
    )
    skin_fraction: float = Field(
        default=0.45, gt=0, le=1, description="maximum fraction of the person that is skin"
    )
    trunk_skin: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="maximum fraction of the trunk and the hips, placed by the pose, that is skin",
    )
    skin_difference: float = Field(
        default=20.0,
        gt=0,
        description="maximum difference of the median colors of face and skin, in a and b of CIE Lab",
    )
    pair_tolerance: int = Field(
        default=32,
        ge=0,
        le=255,
        description="levels of 255 by which input and body may differ at kept pixels (JPEG noise)",
    )
    pair_fraction: float = Field(
        default=0.03, gt=0, le=1, description="maximum fraction of the kept pixels that differ by more"
    )
    leak_fraction: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="maximum fraction of the skin mask where the input is not erased",
    )
    rim: int = Field(
        default=6, ge=1, le=1000, description="pixels from the skin mask that count as next to it"
    )
    rim_excess: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description=(
            "by how much the fraction of skin-colored pixels in apparel next to the mask may exceed the "
            "fraction "
            "farther away"
        ),
    )
    uncovered_fraction: float = Field(
        default=0.05,
        gt=0,
        description=(
            "maximum area of erased, skin-colored body outside the mask and its rim, as a fraction of the "
            "mask"
        ),
    )
    joint_skin: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="fraction of skin-colored pixels above which a spot of the input at a joint counts as "
        "bare",
    )
    joint_usual: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="clothes with a larger fraction of skin-colored pixels than this reveal nothing about "
        "joints",
    )
    pose_distance: float = Field(
        default=0.02,
        gt=0,
        description=(
            "maximum distance of a point from the person, as a fraction of the person's longer side; 2 "
            "pixels "
            "at least"
        ),
    )
    pose_fraction: float = Field(
        default=0.1, gt=0, le=1, description="maximum fraction of the found points that are farther away"
    )
    near_duplicate_distance: int = Field(
        default=8,
        ge=0,
        le=32,
        description="bits of 64 of the perceptual hash by which near-duplicates may differ",
    )
    near_duplicate_difference: float = Field(
        default=16.0,
        ge=0,
        le=255,
        description="maximum mean difference, of 255, between the small images of near-duplicates",
    )
    test_fraction: float = Field(default=0.2, gt=0, lt=1, description="the spec's data.test_fraction")
    validation_fraction: float = Field(
        default=0.1, ge=0, lt=1, description="the spec's data.validation_fraction"
    )
    num_workers: int | None = Field(
        default=None, ge=1, le=256, description="processes; null: one per available core"
    )

    @field_validator("validation_fraction")
    @classmethod
    def _check_fractions(cls, value: float, info: ValidationInfo) -> float:
        if info.data.get("test_fraction", 0) + value >= 1:
            raise PydanticCustomError(
                "fractions",
                "test_fraction and validation_fraction leave nothing to train on; their sum must be below 1",
            )
        return value
