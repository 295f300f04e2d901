"""The label sets of parsers and data sets of people, and their mapping to the five regions.

A region that a set does not have is absent from its table: sets of body parts without clothes (BodyPix,
Pascal-Person-Part) do not identify skin, as an arm may be a sleeve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skinfw.data.segmentation import LabelTable, RegionName
from skinfw_plugins.segmenters import deepfashion_classes
from skinfw_plugins.segmenters.config_labels import CustomLabels, Labels, LabelSetName
from skinfw_plugins.segmenters.label_colors import HUMAN_PARSING, RGB, voc_color

_LIMBS = ("left_leg", "right_leg", "left_arm", "right_arm")
_SHOES = ("left_shoe", "right_shoe")


@dataclass(frozen=True)
class LabelSet:
    """The classes of a label map, in the order of their codes.

    Attributes:
        classes: the name of each code, from 0.
        regions: for each region that the set has, the names of its classes.
        published: the color of each code in each published palette; none for a set with Pascal VOC's colors,
            which most tools write.
    """

    classes: tuple[str, ...]
    regions: Mapping[RegionName, tuple[str, ...]]
    published: tuple[tuple[RGB, ...], ...] = ()

    def palettes(self) -> tuple[tuple[RGB, ...], ...]:
        """Return the possible palettes of this set's maps: the published ones, or else Pascal VOC's."""
        return self.published or (voc_palette(len(self.classes)),)

    def background(self) -> int | None:
        """Return the code of the background, or None if the set has none."""
        names = self.regions.get("background", ())
        return self.classes.index(names[0]) if names else None


def voc_palette(count: int) -> tuple[RGB, ...]:
    """Return Pascal VOC's colors of the first codes."""
    return tuple(voc_color(code) for code in range(count))


def _label_set(
    classes: str,
    *,
    skin: str = "",
    head: str = "",
    feet: str = "",
    apparel: str | None = None,
    published: tuple[tuple[RGB, ...], ...] = (),
) -> LabelSet:
    """Make a set from space-separated class names; apparel is the rest unless it is given."""
    names = tuple(classes.split())
    regions: dict[RegionName, tuple[str, ...]] = {"background": (names[0],)}
    given: dict[RegionName, str] = {"skin": skin, "head": head, "feet": feet}
    regions |= {region: tuple(members.split()) for region, members in given.items() if members}
    named = {name for members in regions.values() for name in members}
    rest = tuple(name for name in names if name not in named) if apparel is None else tuple(apparel.split())
    if rest:
        regions["apparel"] = rest
    return LabelSet(names, regions, published)


ATR = _label_set(
    "background hat hair sunglasses upper_clothes skirt pants dress belt left_shoe right_shoe face left_leg "
    "right_leg left_arm right_arm bag scarf",
    skin=" ".join(_LIMBS), head="hat hair sunglasses face", feet=" ".join(_SHOES),
)  # fmt: skip
"""Liang et al., Deep Human Parsing with Active Template Regression, 2015; SCHP's and SegFormer's order."""

_LIP = (
    "background hat hair glove sunglasses upper_clothes dress coat socks pants {} scarf skirt face left_arm "
    "right_arm left_leg right_leg left_shoe right_shoe"
)

LIP = _label_set(
    _LIP.format("jumpsuits"),
    skin=" ".join(_LIMBS), head="hat hair sunglasses face", feet=" ".join(_SHOES),
    published=(voc_palette(20), HUMAN_PARSING),
)  # fmt: skip
"""Gong et al., Look into Person, 2017."""

CIHP = _label_set(
    _LIP.format("torso_skin"),
    skin=" ".join((*_LIMBS, "torso_skin")), head="hat hair sunglasses face", feet=" ".join(_SHOES),
    published=(voc_palette(20), HUMAN_PARSING),
)  # fmt: skip
"""Gong et al., Instance-level Human Parsing via Part Grouping Network, 2018; LIP's order, with the skin of
neck and chest in place of jumpsuits. VITON-HD's maps use this set."""

PASCAL_PERSON_PART = _label_set(
    "background head torso upper_arms lower_arms upper_legs lower_legs", head="head", apparel=""
)
"""Chen et al., Detect What You Can, 2014: body parts, clothed or not."""

DEEPFASHION = LabelSet(
    deepfashion_classes.CLASSES,
    deepfashion_classes.REGIONS,
    (
        tuple(
            next(color for color, name in deepfashion_classes.PALETTES["files"].items() if name == wanted)
            for wanted in deepfashion_classes.CLASSES
        ),
    ),
)
"""DeepFashion In-shop's sixteen classes."""

DEEPFASHION_MULTIMODAL = _label_set(
    "background top outer skirt dress pants leggings headwear eyeglass neckwear belt footwear bag hair face "
    "skin ring wrist_wearing socks gloves necklace rompers earrings tie",
    skin="skin", head="headwear eyeglass hair face earrings", feet="footwear",
)  # fmt: skip
"""Jiang et al., Text2Human, 2022: the 24 classes of DeepFashion-MultiModal."""

CCP = _label_set(
    "background accessories bag belt blazer blouse bodysuit boots bra bracelet cape cardigan clogs coat "
    "dress earrings flats glasses gloves hair hat heels hoodie intimate jacket jeans jumper leggings loafers "
    "necklace panties pants pumps purse ring romper sandals scarf shirt shoes shorts skin skirt sneakers "
    "socks stockings suit sunglasses sweater sweatshirt swimwear t_shirt tie tights top vest wallet watch "
    "wedges",
    skin="skin", head="earrings glasses hair hat sunglasses",
    feet="boots clogs flats heels loafers pumps sandals shoes sneakers wedges",
)  # fmt: skip
"""Yang et al., Clothing Co-Parsing, 2014: 59 classes. Its skin includes the face."""

BODYPIX = _label_set(
    "background left_face right_face left_upper_arm_front left_upper_arm_back right_upper_arm_front "
    "right_upper_arm_back left_lower_arm_front left_lower_arm_back right_lower_arm_front "
    "right_lower_arm_back left_hand right_hand torso_front torso_back left_upper_leg_front "
    "left_upper_leg_back right_upper_leg_front right_upper_leg_back left_lower_leg_front "
    "left_lower_leg_back right_lower_leg_front right_lower_leg_back left_feet right_feet",
    head="left_face right_face", feet="left_feet right_feet", apparel="",
)  # fmt: skip
"""BodyPix 2's 24 body parts after the background, clothed or not."""

SAPIENS = _label_set(
    "background apparel face_neck hair left_foot left_hand left_lower_arm left_lower_leg left_shoe left_sock "
    "left_upper_arm left_upper_leg lower_clothing right_foot right_hand right_lower_arm right_lower_leg "
    "right_shoe right_sock right_upper_arm right_upper_leg torso upper_clothing lower_lip upper_lip "
    "lower_teeth upper_teeth tongue",
    skin="left_hand left_lower_arm left_lower_leg left_upper_arm left_upper_leg right_hand right_lower_arm "
    "right_lower_leg right_upper_arm right_upper_leg torso",
    head="face_neck hair lower_lip upper_lip lower_teeth upper_teeth tongue",
    feet="left_foot left_shoe right_foot right_shoe",
)  # fmt: skip
"""Khirodkar et al., Sapiens, 2024: 28 classes. Face and neck are one class, so the neck is head."""

MEDIAPIPE = _label_set(
    "background hair body_skin face_skin clothes others", skin="body_skin", head="hair face_skin"
)
"""MediaPipe's selfie multiclass segmentation. It has no footwear: shoes are clothes or others."""

FASHN = _label_set(
    "background face hair top dress skirt pants belt bag hat scarf glasses arms hands legs feet torso "
    "jewelry",
    skin="arms hands legs torso", head="face hair hat glasses", feet="feet",
)  # fmt: skip
"""FASHN's human parser, 2026, made for virtual try-on. Arms, hands, legs and torso are bare skin."""

LABEL_SETS: dict[LabelSetName, LabelSet] = {
    "atr": ATR,
    "lip": LIP,
    "cihp": CIHP,
    "pascal_person_part": PASCAL_PERSON_PART,
    "deepfashion": DEEPFASHION,
    "deepfashion_multimodal": DEEPFASHION_MULTIMODAL,
    "ccp": CCP,
    "bodypix": BODYPIX,
    "sapiens": SAPIENS,
    "mediapipe": MEDIAPIPE,
    "fashn": FASHN,
}
"""All label sets by their names in configurations."""


def other_tables(labels: Labels, setting: str = "labels") -> dict[str, LabelTable]:
    """Return all known label sets but one, by the setting that chooses each."""
    return {
        f'{setting} "{name}"': LabelTable(known.classes, known.regions)
        for name, known in LABEL_SETS.items()
        if name != labels
    }


def label_set(labels: Labels) -> LabelSet:
    """Return the label set of a configuration, by name or description."""
    if isinstance(labels, CustomLabels):
        return LabelSet(labels.classes, labels.regions)
    return LABEL_SETS[labels]
