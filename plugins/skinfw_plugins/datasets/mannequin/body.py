"""Bodies: proportions, joint angles and the 25 keypoints that follow from them.

All lengths are in body units: 1 is the height of an upright adult. x points to the image's
right, y down and z towards the viewer. A person faces the viewer, so the person's own right side
has negative x.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from .chance import pick

Vector = tuple[float, float, float]

RIGHT, LEFT = -1, 1
"""The person's own sides, as the sign of x when they face the viewer."""

SHOULDER = {RIGHT: 2, LEFT: 5}
HIP = {RIGHT: 9, LEFT: 12}
EYE = {RIGHT: 15, LEFT: 16}
EAR = {RIGHT: 17, LEFT: 18}
FOOT = {RIGHT: (22, 23, 24), LEFT: (19, 20, 21)}
"""BODY_25 indices: a limb has three consecutive joints; a foot is big toe, small toe, heel."""

NOSE, NECK, MID_HIP = 0, 1, 8

# Points on the head in half head heights, from its center: x sideways, y down, z towards the
# viewer.
NOSE_TIP: Vector = (0.0, 0.33, 0.85)
EYE_PLACE: Vector = (0.30, 0.03, 0.62)
EAR_PLACE: Vector = (0.68, 0.14, -0.05)


@dataclass(frozen=True)
class Build:
    """Proportions of one body, in body units."""

    shoulder: float
    hip: float
    waist: float
    thickness: float
    leg: float
    head: float
    bust: float


@dataclass(frozen=True)
class Skeleton:
    """A posed body.

    Attributes:
        joints: BODY_25 joints, float64 `(25, 3)`, x and y as seen by the camera, z towards it.
        hands: Fingertips by side.
        head_center: Center of the head.
        head_turn: Rotation of the head about the vertical axis, radians, positive to the image's
            right.
        head_roll: Tilt of the head in the image plane, radians.
        turn: Rotation of the body about the vertical axis, radians.
    """

    joints: NDArray[np.float64]
    hands: dict[int, Vector]
    head_center: Vector
    head_turn: float
    head_roll: float
    turn: float


def sample_build(random: np.random.Generator) -> Build:
    """Draw the proportions of one adult."""
    feminine = random.uniform()
    return Build(
        shoulder=0.118 - 0.022 * feminine + random.uniform(-0.006, 0.006),
        hip=0.080 + 0.010 * feminine + random.uniform(-0.006, 0.007),
        waist=0.078 - 0.012 * feminine + random.uniform(-0.006, 0.008),
        thickness=random.uniform(0.86, 1.2),
        leg=random.uniform(0.95, 1.05),
        head=random.uniform(0.067, 0.075),
        bust=feminine,
    )


def _step(origin: Vector, length: float, out: float, forward: float, side: float) -> Vector:
    """Walk from a joint, `out` degrees away from hanging and `forward` towards the viewer."""
    a, f = radians(out), radians(forward)
    return (
        origin[0] + length * side * sin(a) * cos(f),
        origin[1] + length * cos(a) * cos(f),
        origin[2] + length * sin(f),
    )


def _arm_angles(random: np.random.Generator) -> tuple[float, float, float, float]:
    """Upper arm (out, forward) and forearm (out, forward) for one of six ways to hold an arm."""
    between = random.uniform
    kind = pick(
        random,
        {"hang": 0.36, "hip": 0.17, "bent": 0.15, "aside": 0.12, "raised": 0.10, "behind": 0.10},
    )
    if kind == "hang":
        out = between(4, 16)
        return out, between(-12, 8), out + between(-12, 6), between(0, 22)
    if kind == "hip":
        return between(36, 50), between(-22, -8), between(-48, -34), between(0, 15)
    if kind == "bent":  # in front of the body
        return between(6, 24), between(-10, 14), between(-75, -15), between(15, 50)
    if kind == "aside":
        out = between(18, 42)
        return out, between(-10, 10), out + between(-22, 22), between(-5, 15)
    if kind == "raised":
        return between(35, 75), between(0, 20), between(130, 172), between(0, 20)
    return between(8, 20), between(-35, -18), between(-60, -30), between(-30, -12)


def _turn(point: Vector, angle: float, center: Vector = (0.0, 0.0, 0.0)) -> Vector:
    x, z = point[0] - center[0], point[2] - center[2]
    c, s = cos(angle), sin(angle)
    return center[0] + x * c + z * s, point[1], center[2] - x * s + z * c


def head_place(place: Vector, turn: float, roll: float) -> Vector:
    """Return where a point on the head lies after turning and tilting, relative to the head's center."""
    x, y, z = _turn(place, turn)
    return x * cos(roll) - y * sin(roll), x * sin(roll) + y * cos(roll), z


def _legs(random: np.random.Generator, build: Build, joints: list[Vector]) -> None:
    """Pose both legs: one carries the weight, the other may bend and step out."""
    stance = RIGHT if random.uniform() < 0.5 else LEFT
    spread = random.uniform(-2.0, 8.0)
    for side in (RIGHT, LEFT):
        free = side != stance
        out = spread + (random.uniform(0, 7) if free else 0.0)
        lift = random.uniform(0, 16) if free else random.uniform(-2, 3)
        thickness = 0.052 * build.hip / 0.085
        hip: Vector = (joints[MID_HIP][0] + side * thickness, joints[MID_HIP][1] + 0.006, 0.0)
        knee = _step(hip, 0.235 * build.leg, out, lift, side)
        ankle = _step(
            knee, 0.215 * build.leg, out + random.uniform(-5, 1), -lift - random.uniform(0, 6), side
        )
        joints[HIP[side]], joints[HIP[side] + 1], joints[HIP[side] + 2] = hip, knee, ankle
        angle = radians(random.uniform(4, 32)) * side
        for index, (ahead, across, below) in zip(
            FOOT[side],
            ((0.105, -0.014, 0.042), (0.088, 0.024, 0.040), (-0.016, 0.0, 0.016)),
            strict=True,
        ):
            x, _, z = _turn((across * side, 0.0, ahead), angle)
            joints[index] = (ankle[0] + x, ankle[1] + below, ankle[2] + z)


def _head(
    random: np.random.Generator, build: Build, joints: list[Vector], body_turn: float
) -> tuple[Vector, float, float]:
    """Place the head and its five keypoints; returns its center, turn and roll."""
    turn = -body_turn * 0.4 + radians(random.uniform(-18, 18))
    roll = radians(random.uniform(-9, 9))
    neck = joints[NECK]
    rise = 0.050 + build.head
    center = (neck[0] + rise * sin(roll) * 0.7, neck[1] - rise, neck[2] + 0.012)
    places = {NOSE: NOSE_TIP}
    for side in (RIGHT, LEFT):
        places[EYE[side]] = (side * EYE_PLACE[0], EYE_PLACE[1], EYE_PLACE[2])
        places[EAR[side]] = (side * EAR_PLACE[0], EAR_PLACE[1], EAR_PLACE[2])
    for index, place in places.items():
        x, y, z = head_place(place, turn, roll)
        joints[index] = (
            center[0] + build.head * x,
            center[1] + build.head * y,
            center[2] + build.head * z,
        )
    return center, turn, roll


def sample_skeleton(random: np.random.Generator, build: Build) -> Skeleton:
    """Draw a standing pose and return the positions of the joints."""
    turn = radians(float(np.clip(random.normal(0, 16), -38, 38)))
    joints: list[Vector] = [(0.0, 0.0, 0.0)] * 25
    lean = random.normal(0, 0.008)
    joints[MID_HIP] = (random.normal(0, 0.010), 0.515, 0.0)
    joints[NECK] = (joints[MID_HIP][0] + lean, 0.187, 0.0)
    _legs(random, build, joints)
    hands: dict[int, Vector] = {}
    tilt = random.normal(0, 0.006)
    for side in (RIGHT, LEFT):
        shoulder = (
            joints[NECK][0] + side * (build.shoulder - 0.014),
            joints[NECK][1] + 0.019 + side * tilt,
            0.0,
        )
        out, forward, fore_out, fore_forward = _arm_angles(random)
        elbow = _step(shoulder, 0.160, out, forward, side)
        wrist = _step(elbow, 0.140, fore_out, fore_forward, side)
        hands[side] = _step(wrist, 0.088, fore_out + random.uniform(-14, 14), fore_forward + 8, side)
        start = SHOULDER[side]
        joints[start], joints[start + 1], joints[start + 2] = shoulder, elbow, wrist
    joints = [_turn(joint, turn) for joint in joints]
    hands = {side: _turn(tip, turn) for side, tip in hands.items()}
    center, head_turn, head_roll = _head(random, build, joints, -turn)
    # The camera is a little higher than the feet, so nearer things appear lower.
    pitch = random.uniform(0.08, 0.16)
    seen = np.array(joints)
    seen[:, 1] += pitch * seen[:, 2]
    return Skeleton(
        joints=seen,
        hands={side: (tip[0], tip[1] + pitch * tip[2], tip[2]) for side, tip in hands.items()},
        head_center=(center[0], center[1] + pitch * center[2], center[2]),
        head_turn=head_turn,
        head_roll=head_roll,
        turn=turn,
    )
