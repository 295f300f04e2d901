"""Arms and legs and their clothes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .body import FOOT, HIP, SHOULDER
from .canvas import LABELS, Canvas, bounded
from .materials import cloth_color, skin_color
from .person import Person
from .tubes import Limb, Surface, measure_limb
from .wardrobe import Outer, Top

ARM_LENGTH, HAND_LENGTH = 0.30, 0.088
UPPER_ARM, THIGH, LEG = 0.16, 0.235, 0.45
"""Lengths in body units; those of the leg are for legs of average length."""

Radii = tuple[float, ...]


@dataclass(frozen=True)
class Flesh:
    """Radii of a limb's bones at average thickness: at their starts, at their ends, and muscle."""

    start: Radii
    end: Radii
    muscle: Radii

    def around(
        self, limb: Limb, thickness: float, blend: float, pad: tuple[Radii, Radii] | None = None
    ) -> Surface:
        """Wrap the first bones of a limb; `pad` is cloth, added at each bone's start and end."""
        start, end = ([radius * thickness for radius in radii] for radii in (self.start, self.end))
        if pad:
            start = [radius + extra for radius, extra in zip(start, pad[0], strict=True)]
            end = [radius + extra for radius, extra in zip(end, pad[1], strict=True)]
        return limb.surface(start, end, [radius * thickness for radius in self.muscle], blend)


ARM_AND_HAND = Flesh(  # upper arm, forearm, hand, thumb
    (0.0265, 0.0225, 0.0145, 0.0105), (0.0225, 0.0145, 0.0075, 0.0055), (0.004, 0.004, 0.0085, 0.0)
)
SLEEVE = Flesh((0.0265, 0.0225), (0.0225, 0.0145), (0.003, 0.001))
LEG_AND_FOOT = Flesh((0.054, 0.034, 0.0205), (0.034, 0.0195, 0.0215), (0.003, 0.0095, 0.002))
TROUSER = Flesh((0.054, 0.034), (0.034, 0.0195), (0.003, 0.006))
SHIN_AND_SHOE = Flesh((0.034, 0.0205), (0.0195, 0.0215), (0.0095, 0.002))


def _with_fingers(surface: Surface) -> Surface:
    """Darken three furrows towards the fingertips."""
    furrows = np.maximum(np.cos(surface.across * np.float32(3.0 * np.pi)), 0)
    reach = bounded((surface.along - np.float32(ARM_LENGTH + 0.45 * HAND_LENGTH)) * np.float32(50), 0, 1)
    return replace(surface, light=surface.light * (1 - np.float32(0.38) * furrows * reach))


def _paint_sleeve(
    canvas: Canvas, person: Person, limb: Limb, garment: Top | Outer, ease: float, label: str
) -> None:
    near, far = 0.003 + ease * 0.3, 0.004 + ease
    arm = limb.bones(0, 2)
    sleeve = SLEEVE.around(arm, person.build.thickness, 0.006, ((near, far), (far, far)))
    sleeve = sleeve.cut(sleeve.along - np.float32(garment.sleeve * ARM_LENGTH))
    color = cloth_color(garment.fabric, sleeve, 0.03)
    canvas.paint(limb.window, sleeve.distance, color, LABELS[label])


def _measure_arm(canvas: Canvas, person: Person, side: int) -> Limb:
    start = SHOULDER[side]
    shoulder, elbow, wrist = person.skeleton.joints[start : start + 3]
    hand = np.array(person.skeleton.hands[side]) - wrist
    # The thumb lies on the inner side of a hanging hand.
    across = np.array([hand[1], -hand[0], 0.0]) * -side
    thumb = [wrist + 0.12 * hand, wrist + 0.50 * hand + 0.26 * across]
    bones = np.array([[shoulder, elbow], [elbow, wrist], [wrist, wrist + hand], thumb])
    return measure_limb(canvas, bones, (0.0, UPPER_ARM, ARM_LENGTH, ARM_LENGTH), 0.05, person.light)


def paint_arm(canvas: Canvas, person: Person, side: int) -> None:
    """One arm from shoulder to fingertips, then its sleeves."""
    top, outer = person.outfit.top, person.outfit.outer
    limb = _measure_arm(canvas, person, side)
    bare = ARM_AND_HAND.around(limb, person.build.thickness, 0.005)
    hem = max(top.sleeve, outer.sleeve if outer else 0.0) * ARM_LENGTH
    canvas.shadow(limb.window, bare.distance, 0.012, 0.28)
    color = skin_color(person.skin, _with_fingers(bare), hem, (UPPER_ARM, ARM_LENGTH))
    canvas.paint(limb.window, bare.distance, color, LABELS["skin"])
    if top.sleeve > 0:
        _paint_sleeve(canvas, person, limb, top, top.ease, "dress" if top.dress else "top")
    if outer:
        _paint_sleeve(canvas, person, limb, outer, top.ease + 0.006, "outer")


def _paint_shoe(canvas: Canvas, person: Person, limb: Limb, leg_length: float) -> None:
    shoes = person.outfit.shoes
    shin = 0.005 if shoes.height > 0.02 else 0.003
    pad = ((shin, 0.004), (shin, 0.004))
    shoe = SHIN_AND_SHOE.around(limb.bones(1, 3), person.build.thickness, 0.006, pad)
    shoe = shoe.cut(np.float32(leg_length - shoes.height) - shoe.along)
    color = np.asarray(shoes.color * (0.5 + 0.62 * shoe.light), np.float32)
    canvas.paint(limb.window, shoe.distance, color, LABELS["footwear"])
    # The sole shows as a rim below the toes.
    below_axis = limb.offset_y[-1] - np.float32(0.013)
    sole = shoe.cut(-below_axis).cut(np.float32(leg_length + 0.03) - shoe.along)
    color = np.asarray(shoes.sole * (0.55 + 0.5 * sole.light), np.float32)
    canvas.paint(limb.window, sole.distance, color, LABELS["footwear"])


def paint_leg(canvas: Canvas, person: Person, side: int) -> None:
    """One leg from hip to toes, its shoe and its trouser leg."""
    bottom, build, joints = person.outfit.bottom, person.build, person.skeleton.joints
    toes = (joints[FOOT[side][0]] + joints[FOOT[side][1]]) / 2
    hip, knee, ankle = joints[HIP[side] : HIP[side] + 3]
    bones = np.array([[hip, knee], [knee, ankle], [ankle, toes]])
    thigh, length = THIGH * build.leg, LEG * build.leg
    limb = measure_limb(canvas, bones, (0.0, thigh, length), 0.082, person.light)
    bare = LEG_AND_FOOT.around(limb, build.thickness, 0.007)
    canvas.shadow(limb.window, bare.distance, 0.010, 0.25)
    hem = bottom.length * length
    color = skin_color(person.skin, bare, hem, (thigh, length))
    canvas.paint(limb.window, bare.distance, color, LABELS["skin"])
    _paint_shoe(canvas, person, limb, length)
    if bottom.kind == "pants":
        near, far = bottom.ease, bottom.ease + bottom.flare
        pad = ((near, (near + far) / 2), ((near + far) / 2, far))
        trouser = TROUSER.around(limb.bones(0, 2), build.thickness, 0.007, pad)
        trouser = trouser.cut(trouser.along - np.float32(hem))
        color = cloth_color(bottom.fabric, trouser, 0.05)
        canvas.paint(limb.window, trouser.distance, color, LABELS["pants"])
