"""Configurations of published data sets in their own folders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from skinfw.components.config import ComponentConfig
from skinfw.components.outside import SpecPath
from skinfw.components.reference import ComponentSpec, Slot
from skinfw.preparation.config import PrepareConfig

Side = Annotated[int, Field(ge=1, le=1_000_000)]
Split = Literal["train", "test", "all"]
Category = Literal["dresses", "lower_body", "upper_body"]


class LayoutConfig(ComponentConfig):
    """What data sets in their own folders have in common."""

    root: SpecPath = Field(description="the data set's folder, as it was unpacked")
    segmenter: Annotated[ComponentSpec, Slot("segmenter")] | None = Field(
        default=None,
        description="finds skin, head, feet, apparel and background; null: the label maps of the data set",
    )
    pose_encoder: Annotated[ComponentSpec, Slot("pose_encoder")] | None = Field(
        default=None, description="finds the pose and draws it; null: the poses of the data set"
    )
    prepare: PrepareConfig = Field(
        default_factory=PrepareConfig, description="margin, crop and filters of the preparation"
    )
    cache: SpecPath | None = Field(
        default=None,
        description=(
            "folder for the prepared samples; null: one named by these settings under SKINFW_CACHE or, where "
            "that is not set, the user's cache folder"
        ),
    )


class VitonHdConfig(LayoutConfig):
    """VITON-HD: folders train and test, with train_pairs.txt and test_pairs.txt beside them."""

    split: Split = Field(
        default="train", description="which of its two parts; skinfw splits what it gets once more"
    )
    label_maps: str = Field(
        default="image-parse-v3",
        min_length=1,
        description="folder of the label maps in a part: image-parse-v3, or image-parse in the first release",
    )
    poses: str = Field(
        default="openpose_json",
        min_length=1,
        description="folder of OpenPose's JSON in a part: openpose_json, or openpose-json in the first "
        "release",
    )


class DressCodeConfig(LayoutConfig):
    """Dress Code: folders dresses, lower_body and upper_body with lists of pairs in each."""

    split: Split = Field(
        default="train", description="photos of train_pairs.txt, of test_pairs_paired.txt, or all there are"
    )
    categories: tuple[Category, ...] = Field(
        default=("dresses", "lower_body", "upper_body"), min_length=1, description="which of its folders"
    )
    points_size: tuple[Side, Side] = Field(
        default=(512, 384),
        description="height and width in pixels of the images that the points were found in: half the "
        "photos' sides (as its authors tell)",
    )


class DeepfashionMultimodalConfig(LayoutConfig):
    """DeepFashion-MultiModal: folders images and segm, and text files of keypoints."""
