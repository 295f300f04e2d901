"""Where new skin may be painted: on limbs and neck, never on trunk or hips, and no hands."""

from __future__ import annotations

import re

import numpy as np

from skinfw.data.body_zones import BodyDistances
from skinfw.data.segmentation import Mask, Segmentation
from skinfw.repair.regions import nearest_zone

_REACH = 2.0
"""Distance from a limb, in radii of it, up to which skin belongs to it: sleeves widen in label maps, and
radii are rough."""

_HIPS = 0.3
"""Distance from the line between the hips, in lengths of the trunk, up to which skin is on the hips."""

_TRUNK_CLASS = re.compile(r"(.*[ _-])?(torso|trunk|chest|belly|breast|hips?)([ _-].*)?", re.IGNORECASE)


def unpaintable(found: Segmentation, distances: BodyDistances | None) -> dict[str, Mask]:
    """Return where nothing may be painted, by reason; the reasons do not overlap.

    Args:
        found: the segmentation of the result; classes of the trunk, such as CIHP's ``torso_skin``, count.
        distances: the distances from the parts of the person's pose; without it nothing may be painted.

    Returns:
        bool masks ``(H, W)``.
    """
    if distances is None:
        return {"no pose": np.ones(found.labels.shape, bool)}
    parts = distances.parts
    nothing = np.full(found.labels.shape, np.inf, np.float32)
    torso, arm = parts.get("torso", nothing), parts.get("arm", nothing)
    # an arm may lie on the trunk: there it must be the nearest part, and near
    on_arm = nearest_zone(distances, "arm") & (arm <= 1)
    trunk = (torso <= 1) | nearest_zone(distances, "torso") | (distances.hips <= _HIPS)
    classes = [name for name in found.classes if _TRUNK_CLASS.fullmatch(name)]
    trunk = (trunk & ~on_arm) | found.of_classes(*classes)
    limbs = nearest_zone(distances, "arm", "neck", "thigh", "shin")
    near = np.minimum.reduce([parts.get(zone, nothing) for zone in ("arm", "neck", "thigh", "shin")])
    reasons = {
        "trunk or hips": trunk,
        "hand": nearest_zone(distances, "hand"),
        "head or foot": nearest_zone(distances, "head", "foot"),
        "far from any limb": ~limbs | (near > _REACH**2),
    }
    taken = np.zeros(found.labels.shape, bool)
    for name, mask in reasons.items():
        reasons[name] = mask & ~taken
        taken |= mask
    return reasons
