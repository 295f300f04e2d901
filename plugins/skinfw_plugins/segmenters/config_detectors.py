"""Configurations of the segmenters by OpenCV's cascades, and of those that put segmenters together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import ComponentConfig
from skinfw.components.outside import SpecPath
from skinfw.components.reference import ComponentSpec, Slot, use
from skinfw.components.regions import RegionName
from skinfw.components.strict_model import StrictModel

PackagedCascade = Literal[
    "frontalface_default", "frontalface_alt", "frontalface_alt2", "frontalface_alt_tree", "profileface",
    "upperbody", "lowerbody", "fullbody",
]  # fmt: skip
"""The cascades of people that OpenCV 4 brings, without ``haarcascade_`` and ``.xml``."""

_OwnParts = Literal["elsewhere", "face"]
OWN_PARTS: tuple[_OwnParts, ...] = ("elsewhere", "face")
"""Classes that the haar segmenter makes itself."""


class HaarDetector(StrictModel):
    """A cascade, and what becomes of what it finds.

    Sizes without a unit are fractions of the height or width of what was found.
    """

    part: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="the class that its detections get, such as head, feet, upper_body, legs; head and feet "
        "are regions too. Of several detectors of one part, the first that finds something counts",
    )
    cascade: PackagedCascade | None = Field(default=None, description="a cascade that OpenCV brings")
    file: SpecPath | None = Field(
        default=None, description="a cascade's XML file, instead; OpenCV brings none for feet or legs"
    )
    scale_factor: float = Field(
        default=1.1, gt=1, le=2, description="factor from one size that is looked for to the next"
    )
    neighbors: int = Field(
        default=3,
        ge=0,
        le=1000,
        description="overlapping finds that a detection is made of; more: fewer mistakes",
    )
    min_size: float = Field(
        default=0.04,
        gt=0,
        le=1_000_000,
        description="smallest side of a detection: below 1 a fraction of the photo's shorter side, else "
        "pixels",
    )
    count: int = Field(
        default=1, ge=1, le=1000, description="most detections that count, surest first; 2 for a pair of feet"
    )
    mirrored: bool = Field(
        default=False, description="look in the mirror image too; profileface knows one side of faces only"
    )
    above: float = Field(default=0.0, ge=-0.45, le=4, description="how far the part reaches above")
    below: float = Field(default=0.0, ge=-0.45, le=4, description="how far it reaches below")
    beside: float = Field(default=0.0, ge=-0.45, le=4, description="how far it reaches to either side")
    core: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="fraction of the part's height and width that is taken for sure when it is refined",
    )

    @model_validator(mode="after")
    def _check(self) -> HaarDetector:
        if (self.cascade is None) == (self.file is None):
            raise PydanticCustomError("cascade", "give cascade or file, one of the two")
        if self.part in OWN_PARTS:
            raise PydanticCustomError("part", f"{self.part!r} is a class of its own; take another name")
        return self


def _heads() -> tuple[HaarDetector, ...]:
    names: tuple[PackagedCascade, ...] = ("frontalface_alt2", "frontalface_default", "profileface")
    return tuple(
        HaarDetector(
            part="head", cascade=name, mirrored=name == "profileface",
            above=0.35, below=0.1, beside=0.1, core=0.8,
        )
        for name in names
    )  # fmt: skip


class HaarConfig(ComponentConfig):
    """What OpenCV's cascades look for, and how heads and feet are refined."""

    detectors: tuple[HaarDetector, ...] = Field(
        default_factory=_heads,
        min_length=1,
        description="cascades in the order of their say: where two parts overlap, the earlier one's wins",
    )
    refine: Literal["none", "grabcut"] = Field(
        default="grabcut",
        description="outline of heads and feet: the ellipse in the enlarged detection (none), or GrabCut "
        "(Rother et al. 2004) that starts from it; other parts are rectangles",
    )
    iterations: int = Field(default=3, ge=1, le=20, description="rounds of GrabCut")


_Segmenter = Annotated[ComponentSpec, Slot("segmenter")]


class FeetConfig(ComponentConfig):
    """Which network tells and segments shoes, and what finds bare feet."""

    network: _Segmenter = Field(
        default_factory=lambda: use("segmenter", "deepfashion"),
        description="a segmenter with classes of footwear: onnx_parser, huggingface, parser, deepfashion",
    )
    footwear: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="its classes that are footwear; null: those of its region feet that are not called foot "
        "or feet",
    )
    min_shoes: float = Field(
        default=0.0005,
        ge=0,
        lt=1,
        description="fraction of the photo's pixels that must be footwear for shoes to be worn",
    )
    bare: _Segmenter | None = Field(
        default=None,
        description="the segmenter of bare feet, usually haar with the file of a cascade for feet; null: "
        "what the network calls foot or feet, and its skin at the person's lower end",
    )
    ankle_height: float = Field(
        default=0.05,
        gt=0,
        le=0.25,
        description="fraction of the person's height, from the ground, in which skin is a bare foot; "
        "ankles are "
        "at 0.039 of a standing person's (Drillis and Contini 1966). Not used where bare is given",
    )


class EnsembleMember(StrictModel):
    """A segmenter, and what it is asked for."""

    segmenter: _Segmenter = Field(description="the segmenter")
    regions: tuple[RegionName, ...] | None = Field(
        default=None,
        min_length=1,
        description="regions that it is asked for; null: all that it can tell",
    )
    weight: float = Field(default=1.0, gt=0, description="its say in a vote")
    optional: bool = Field(
        default=False, description="leave a photo that it rejects to the others; false: reject it too"
    )


class EnsembleConfig(ComponentConfig):
    """Which segmenters are asked, and how one answer comes of theirs."""

    members: tuple[EnsembleMember, ...] = Field(
        min_length=1, description="the segmenters; the first has the first say"
    )
    rule: Literal["priority", "vote"] = Field(
        default="priority",
        description="a pixel's region is that of the first member which gives it one (priority), or the one "
        "that members of half the weight or more give it, of those that can tell the region (vote)",
    )

    @field_validator("members")
    @classmethod
    def _ask_once(cls, members: tuple[EnsembleMember, ...]) -> tuple[EnsembleMember, ...]:
        for number, member in enumerate(members):
            if len(set(member.regions or ())) < len(member.regions or ()):
                raise PydanticCustomError("region_twice", f"member {number} is asked for one region twice")
        return members
