"""Configurations of the pose encoders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from skinfw.components.config import PoseEncoderConfig
from skinfw.components.outside import ProgramPath, SpecPath
from skinfw_plugins.networks.bodypix_config import BodyPixNetwork, Resolution

Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=1, le=1_000_000)]
Channels = tuple[float, float, float]
Deviations = tuple[Positive, Positive, Positive]


class OpenposeConfig(PoseEncoderConfig):
    """Where OpenPose's JSON files are, or how OpenPose is run."""

    folder: SpecPath | None = Field(
        default=None,
        description=(
            "folder of the JSON files, with the photos' own subfolders or without; null: the folder called "
            "openpose nearest above the photo; beside the photos they are looked for first in any case"
        ),
    )
    suffix: str = Field(
        default="_keypoints.json",
        min_length=1,
        description="what takes the place of the photo's ending in the JSON file's name (OpenPose 1.7)",
    )
    photo_suffix: str = Field(
        default="",
        description="what is cut from the end of the photo's name, without its ending, before that, for "
        "instance _0 for Dress Code",
    )
    order: Literal["body_25", "body_25b", "coco_18", "coco_17"] | None = Field(
        default=None,
        description="order of the points in the files: body_25, body_25b, coco_18 (older OpenPose models, "
        "ControlNet, Dress Code) or coco_17; null: by the number of points, and for 25 by which of the two "
        "orders makes a body of them",
    )
    coordinates: Literal["pixels", "zero_one", "plus_minus_one"] | None = Field(
        default=None,
        description="unit of x and y: pixels, or the range [0, 1] or [-1, 1] across the image (OpenPose's "
        "--keypoint_scale 3 and 4); null: by the values",
    )
    pixels_of: tuple[Side, Side] | None = Field(
        default=None,
        description="height and width in pixels of the image that the files' x and y count in, for "
        "instance [512, 384] for Dress Code; null: the canvas that a file names, else the photo",
    )
    binary: ProgramPath | None = Field(
        default=None,
        description="OpenPose's program (release 1.7: openpose.bin, OpenPoseDemo.exe), which is run on a "
        "photo that has no JSON file; null: such a photo is left out",
    )
    model_folder: SpecPath | None = Field(
        default=None, description="OpenPose's folder of models; null: models/ where the program is run"
    )
    timeout: float = Field(
        default=300.0, gt=0, le=86_400, description="seconds after which the program is stopped"
    )


class BodyPixPoseConfig(BodyPixNetwork, PoseEncoderConfig):
    """Which BodyPix network looks for joints, and how sure it has to be."""

    resolution: Resolution = 385
    person_threshold: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="probability above which a cell belongs to a person; cells that touch are one person",
    )
    threshold: float = Field(
        default=0.3, ge=0, le=1, description="least probability of a point that counts as found"
    )


class MediapipePoseConfig(PoseEncoderConfig):
    """Which MediaPipe pose landmarker runs, and how sure it has to be."""

    model: SpecPath | None = Field(
        default=None,
        description="a .task file of MediaPipe's pose landmarker; null: pose_landmarker_full.task, from "
        "SKINFW_WEIGHTS, the cache or the network",
    )
    max_people: int = Field(
        default=4, ge=1, le=20, description="people that are looked for in a photo (num_poses)"
    )
    detection_threshold: float = Field(
        default=0.5, ge=0, le=1, description="least score of a detected person"
    )
    presence_threshold: float = Field(
        default=0.5, ge=0, le=1, description="least score that a person is where landmarks are looked for"
    )
    threshold: float = Field(
        default=0.3, ge=0, le=1, description="least visibility of a point that counts as found"
    )


class RtmposeConfig(PoseEncoderConfig):
    """A pair of ONNX files of MMPose or rtmlib, a detector of people and a pose model."""

    pose_model: SpecPath = Field(
        description="ONNX file of a top-down SimCC pose model, as MMPose exports RTMPose (outputs simcc_x "
        "and simcc_y)"
    )
    detector: SpecPath | None = Field(
        default=None,
        description="ONNX file of a detector: YOLOX without NMS, or one exported with NMS; null: the "
        "whole photo is one person's box",
    )
    order: Literal["coco_17", "halpe_26"] | None = Field(
        default=None, description="order of the pose model's points; null: by their number"
    )
    score_threshold: float = Field(
        default=0.7, ge=0, le=1, description="least score of a detected person (rtmlib: 0.7)"
    )
    nms_threshold: float = Field(
        default=0.45,
        ge=0,
        le=1,
        description="IoU above which the weaker of two boxes goes (rtmlib: 0.45); unused where the file "
        "has NMS",
    )
    threshold: float = Field(
        default=0.3, ge=0, le=1, description="least score of a point that counts as found"
    )
    padding: float = Field(
        default=1.25, ge=1, le=4, description="how much larger than its box a person's crop is (MMPose: 1.25)"
    )
    split_ratio: float = Field(
        default=2.0, gt=0, description="SimCC bins to a pixel of the pose model's input (RTMPose: 2)"
    )
    mean: Channels = Field(
        default=(123.675, 116.28, 103.53),
        description="RGB that is subtracted from the pose model's input (MMPose: ImageNet's)",
    )
    std: Deviations = Field(
        default=(58.395, 57.12, 57.375),
        description="RGB that the pose model's input is then divided by (MMPose: ImageNet's)",
    )
    detector_mean: Channels = Field(
        default=(0.0, 0.0, 0.0),
        description="BGR that is subtracted from the detector's input (YOLOX: 0; RTMDet: 103.53, 116.28, "
        "123.675)",
    )
    detector_std: Deviations = Field(
        default=(1.0, 1.0, 1.0),
        description="BGR that the detector's input is then divided by (YOLOX: 1; RTMDet: 57.375, 57.12, "
        "58.395)",
    )
