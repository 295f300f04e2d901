"""Configurations of the pose encoders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from skinfw.components.config import PoseEncoderConfig
from skinfw.components.origin import Origin
from skinfw.components.outside import ProgramPath, SpecPath
from skinfw.components.weights import WeightsFile
from skinfw_plugins.networks.bodypix_config import BodyPixNetwork, Resolution
from skinfw_plugins.networks.published_files import POSE_LANDMARKER

Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=1, le=1_000_000)]
Channels = tuple[float, float, float]
Deviations = tuple[Positive, Positive, Positive]


class OpenposeConfig(PoseEncoderConfig):
    """Where OpenPose's JSON files are, or how to run OpenPose."""

    folder: SpecPath | None = Field(
        default=None,
        description=(
            "folder of the JSON files, with the photos' subfolders or without; null: the nearest folder "
            "called openpose above the photo. Files next to the photos come first in any case"
        ),
    )
    suffix: str = Field(
        default="_keypoints.json",
        min_length=1,
        description="replaces the photo's extension in the JSON file's name (OpenPose 1.7)",
    )
    photo_suffix: str = Field(
        default="",
        description="suffix removed from the photo's name, without its extension, before that, for example "
        "_0 for Dress Code",
    )
    order: Literal["body_25", "body_25b", "coco_18", "coco_17"] | None = Field(
        default=None,
        description="order of the points in the files: body_25, body_25b, coco_18 (older OpenPose models, "
        "ControlNet, Dress Code) or coco_17; null: chosen by the number of points; of the two orders with "
        "25, the one that forms a body",
    )
    coordinates: Literal["pixels", "zero_one", "plus_minus_one"] | None = Field(
        default=None,
        description="unit of x and y: pixels, or the range [0, 1] or [-1, 1] across the image (OpenPose's "
        "--keypoint_scale 3 and 4); null: detected from the values",
    )
    pixels_of: tuple[Side, Side] | None = Field(
        default=None,
        description="height and width in pixels of the image that the files' x and y refer to, for example "
        "[512, 384] for Dress Code; null: the canvas in the file, or else the photo",
    )
    binary: ProgramPath | None = Field(
        default=None,
        description="OpenPose's program (release 1.7: openpose.bin, OpenPoseDemo.exe), run on photos "
        "without a JSON file; null: such photos are rejected",
    )
    model_folder: SpecPath | None = Field(
        default=None, description="OpenPose's models folder; null: models/ in the program's working folder"
    )
    timeout: float = Field(
        default=300.0, gt=0, le=86_400, description="seconds after which the program is killed"
    )

    def reads_files(self) -> bool:
        """Return whether poses come from files alone. See `ComponentConfig.reads_files`."""
        return self.binary is None


class BodyPixPoseConfig(BodyPixNetwork, PoseEncoderConfig):
    """Which BodyPix network finds joints, and how confident it must be."""

    resolution: Resolution = 385
    threshold: float = Field(default=0.3, ge=0, le=1, description="minimum probability of a found point")


class MediapipePoseConfig(PoseEncoderConfig):
    """Which MediaPipe pose landmarker runs, and how confident it must be."""

    model: SpecPath | None = Field(
        default=None,
        description="a .task file of MediaPipe's pose landmarker; null: pose_landmarker_full.task, from "
        "SKINFW_WEIGHTS, the cache or the network",
    )
    max_people: int = Field(
        default=4, ge=1, le=20, description="maximum number of people found in a photo (num_poses)"
    )
    detection_threshold: float = Field(
        default=0.5, ge=0, le=1, description="minimum score of a detected person"
    )
    presence_threshold: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="minimum score that a person is present where landmarks are searched",
    )
    threshold: float = Field(default=0.3, ge=0, le=1, description="minimum visibility of a found point")

    def published_files(self) -> tuple[WeightsFile, ...]:
        """Return the file that is found by name. See `ComponentConfig.published_files`."""
        return () if self.model else (POSE_LANDMARKER,)

    def known_files(self) -> tuple[WeightsFile, ...]:
        """Return the file that is known by its hash. See `ComponentConfig.known_files`."""
        return (POSE_LANDMARKER,)


class RtmposeConfig(PoseEncoderConfig):
    """A pair of ONNX files of MMPose or rtmlib, a detector of people and a pose model."""

    pose_model: Annotated[
        SpecPath,
        Origin("download one of rtmlib's models from https://github.com/Tau-J/rtmlib", "Apache-2.0"),
    ] = Field(
        description="ONNX file of a top-down SimCC pose model, as MMPose exports RTMPose (outputs simcc_x "
        "and simcc_y)",
        examples=["rtmpose.onnx"],
    )
    detector: SpecPath | None = Field(
        default=None,
        description="ONNX file of a detector: YOLOX without NMS, or one exported with NMS; null: the "
        "whole photo is the box of one person",
    )
    order: Literal["coco_17", "halpe_26"] | None = Field(
        default=None, description="order of the pose model's points; null: chosen by their number"
    )
    score_threshold: float = Field(
        default=0.7, ge=0, le=1, description="minimum score of a detected person (rtmlib: 0.7)"
    )
    nms_threshold: float = Field(
        default=0.45,
        ge=0,
        le=1,
        description="IoU above which the weaker of two boxes is dropped (rtmlib: 0.45); unused if the file "
        "has NMS",
    )
    threshold: float = Field(default=0.3, ge=0, le=1, description="minimum score of a found point")
    padding: float = Field(
        default=1.25, ge=1, le=4, description="size of a person's crop relative to the box (MMPose: 1.25)"
    )
    split_ratio: float = Field(
        default=2.0, gt=0, description="SimCC bins per pixel of the pose model's input (RTMPose: 2)"
    )
    mean: Channels = Field(
        default=(123.675, 116.28, 103.53),
        description="RGB subtracted from the pose model's input (MMPose: ImageNet's)",
    )
    std: Deviations = Field(
        default=(58.395, 57.12, 57.375),
        description="RGB by which the pose model's input is then divided (MMPose: ImageNet's)",
    )
    detector_mean: Channels = Field(
        default=(0.0, 0.0, 0.0),
        description="BGR subtracted from the detector's input (YOLOX: 0; RTMDet: 103.53, 116.28, 123.675)",
    )
    detector_std: Deviations = Field(
        default=(1.0, 1.0, 1.0),
        description="BGR by which the detector's input is then divided (YOLOX: 1; RTMDet: 57.375, 57.12, "
        "58.395)",
    )
