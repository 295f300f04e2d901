"""Configurations of the segmenters with OpenCV's cascades, and of those that combine segmenters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from skinfw.components.config import ComponentConfig
from skinfw.components.origin import Origin
from skinfw.components.outside import SpecPath
from skinfw.components.reference import ComponentSpec, Slot, use
from skinfw.components.regions import RegionName
from skinfw.components.strict_model import StrictModel

PackagedCascade = Literal[
    "frontalface_default", "frontalface_alt", "frontalface_alt2", "frontalface_alt_tree", "profileface",
    "upperbody", "lowerbody", "fullbody",
]  # fmt: skip
"""The cascades for people that OpenCV 4 ships, without ``haarcascade_`` and ``.xml``."""

CASCADES = Origin(
    "download one from https://github.com/opencv/opencv/tree/4.x/data/haarcascades, or train one with "
    "opencv_traincascade, as OpenCV publishes none for feet or legs",
    "BSD-style, at the top of each file",
)
"""Where the files of cascades come from."""

_OwnParts = Literal["elsewhere", "face"]
OWN_PARTS: tuple[_OwnParts, ...] = ("elsewhere", "face")
"""Classes that the haar segmenter adds itself."""


class HaarDetector(StrictModel):
    """A cascade, and how its detections are used.

    Sizes without a unit are fractions of a detection's height or width.
    """

    part: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$",
        description="the class of its detections, such as head, feet, upper_body, legs; head and feet are "
        "also regions. Of several detectors for one part, the first that finds something counts",
    )
    cascade: PackagedCascade | None = Field(default=None, description="a cascade that OpenCV ships")
    file: Annotated[SpecPath, CASCADES] | None = Field(
        default=None, description="a cascade's XML file, instead; OpenCV ships none for feet or legs"
    )
    scale_factor: float = Field(default=1.1, gt=1, le=2, description="factor between successive search sizes")
    neighbors: int = Field(
        default=3,
        ge=0,
        le=1000,
        description="overlapping hits that form a detection; more: fewer false detections",
    )
    min_size: float = Field(
        default=0.04,
        gt=0,
        le=1_000_000,
        description="smallest side of a detection: below 1 a fraction of the photo's shorter side, else "
        "pixels",
    )
    count: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="maximum number of detections, most confident first; 2 for a pair of feet",
    )
    mirrored: bool = Field(
        default=False, description="search the mirror image too; profileface knows only one side of faces"
    )
    above: float = Field(default=0.0, ge=-0.45, le=4, description="how far the part extends above")
    below: float = Field(default=0.0, ge=-0.45, le=4, description="how far it extends below")
    beside: float = Field(default=0.0, ge=-0.45, le=4, description="how far it extends to either side")
    core: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="fraction of the part's height and width that is certain when it is refined",
    )

    @model_validator(mode="after")
    def _check(self) -> HaarDetector:
        if (self.cascade is None) == (self.file is None):
            missing = (
                "" if self.file else f"; file names the XML file of a cascade for {self.part}: {CASCADES}"
            )
            raise PydanticCustomError("cascade", f"set either cascade or file{missing}")
        if self.part in OWN_PARTS:
            raise PydanticCustomError("part", f"{self.part!r} is a reserved class; use another name")
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
    """What OpenCV's cascades detect, and how heads and feet are refined."""

    detectors: tuple[HaarDetector, ...] = Field(
        default_factory=_heads,
        min_length=1,
        description="cascades by priority: where two parts overlap, the earlier one wins",
    )
    refine: Literal["none", "grabcut"] = Field(
        default="grabcut",
        description="outline of heads and feet: the ellipse in the enlarged detection (none), or GrabCut "
        "(Rother et al. 2004) starting from it; other parts are rectangles",
    )
    iterations: int = Field(default=3, ge=1, le=20, description="iterations of GrabCut")


_Segmenter = Annotated[ComponentSpec, Slot("segmenter")]


class FeetConfig(ComponentConfig):
    """Which network segments shoes, and what finds bare feet."""

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
        description="fraction of the photo's pixels above which footwear counts as worn",
    )
    bare: _Segmenter | None = Field(
        default=None,
        description="the segmenter of bare feet, usually haar with the file of a cascade for feet; null: "
        "the network's classes foot and feet, and its skin at the person's lower end",
    )
    ankle_height: float = Field(
        default=0.05,
        gt=0,
        le=0.25,
        description="fraction of the person's height, from the ground, in which skin is a bare foot; ankles "
        "are at 0.039 of a standing person's height (Drillis and Contini 1966). Unused if bare is set",
    )

    def reads_files(self) -> bool:
        """Return whether one of its segmenters does. See `ComponentConfig.reads_files`."""
        return any(each is not None and each.config.reads_files() for each in (self.network, self.bare))


class EnsembleMember(StrictModel):
    """A segmenter, and the regions to take from it."""

    segmenter: _Segmenter = Field(description="the segmenter")
    regions: tuple[RegionName, ...] | None = Field(
        default=None,
        min_length=1,
        description="regions to take from it; null: all that it finds",
    )
    weight: float = Field(default=1.0, gt=0, description="its weight in a vote")
    optional: bool = Field(
        default=False, description="ignore it for photos that it rejects; false: reject the photo"
    )


class EnsembleConfig(ComponentConfig):
    """Which segmenters run, and how their results are combined."""

    members: tuple[EnsembleMember, ...] = Field(
        min_length=1, description="the segmenters; earlier ones take precedence"
    )
    rule: Literal["priority", "vote"] = Field(
        default="priority",
        description="a pixel's region is that of the first member that assigns one (priority), or the one "
        "assigned by at least half the weight of the members that find that region (vote)",
    )

    @field_validator("members")
    @classmethod
    def _ask_once(cls, members: tuple[EnsembleMember, ...]) -> tuple[EnsembleMember, ...]:
        for number, member in enumerate(members):
            if len(set(member.regions or ())) < len(member.regions or ()):
                raise PydanticCustomError("region_twice", f"member {number} lists a region twice")
        return members

    def reads_files(self) -> bool:
        """Return whether one of its segmenters does. See `ComponentConfig.reads_files`."""
        return any(member.segmenter.config.reads_files() for member in self.members)
