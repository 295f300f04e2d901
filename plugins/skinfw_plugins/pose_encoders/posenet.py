"""PoseNet's decoding of several people: from one joint to the next along the skeleton.

Source: Papandreou et al., PersonLab (2018); tensorflow/tfjs-models, posenet (Apache-2.0).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from skinfw_plugins.networks.bodypix import BodyPixScores
from skinfw_plugins.pose_encoders.orders import COCO_17

MIN_ROOT = 0.5
"""Minimum probability of the joint from which a person's other joints are found."""

REFINEMENTS = 2
"""How often a joint moves to where the offset of its cell says that it is."""

RADIUS = 20
"""Distance in pixels of the network's input up to which a joint is one of a person found before."""

SAME_PLACE = 0.08
"""Distance up to which two points are at one place, as a fraction of a person's longer side."""

MAX_SHARED = 3
"""Number of points at one place with those of a surer person up to which somebody is another person.

In 334 street photos, 195 poses share up to 3 points with a surer pose. 60 share 4 to 9: most of them join two
people. 2,600 share at least 10, as they were found from another joint of the same person.
"""

_EDGES = (
    ("Nose", "LEye"), ("LEye", "LEar"), ("Nose", "REye"), ("REye", "REar"),
    ("Nose", "LShoulder"), ("LShoulder", "LElbow"), ("LElbow", "LWrist"),
    ("LShoulder", "LHip"), ("LHip", "LKnee"), ("LKnee", "LAnkle"),
    ("Nose", "RShoulder"), ("RShoulder", "RElbow"), ("RElbow", "RWrist"),
    ("RShoulder", "RHip"), ("RHip", "RKnee"), ("RKnee", "RAnkle"),
)  # fmt: skip
"""The skeleton's edges, in the order of the network's displacements."""

MAX_PEOPLE = 50
"""Maximum number of poses that are kept; PoseNet's ``maxDetections``. It limits the work on noise."""

GridPoint = NDArray[np.float64]
"""The y and x of a point in pixels of the network's input."""

Points = NDArray[np.float32]
"""For each of COCO's keypoints x, y and probability, ``(17, 3)``."""


class PoseNetDecoder:
    """Finds the poses in the network's output for an image.

    Args:
        scores: the output.
        stride: pixels of the network's input from one cell to the next.
    """

    def __init__(self, scores: BodyPixScores, stride: int) -> None:
        self.stride = stride
        self.probabilities = _probability(scores.joints)
        self.offsets = _pairs(scores.offsets)
        self.displacements = _along_edges(_pairs(scores.forward), _pairs(scores.backward))

    def people(self) -> list[Points]:
        """Return the points of up to `MAX_PEOPLE` people, the one with the highest mean probability first.

        x and y are in pixels of the network's input, with pixel centers at integers.
        """
        found = np.empty((0, len(COCO_17), 3), np.float32)
        for row, column, joint in self._roots():
            root = self._place((row, column), joint)
            if not (np.linalg.norm(found[:, joint, 1::-1] - root, axis=1) <= RADIUS).any():
                found = np.concatenate([found, self._person(root, joint)[None]])
        people = np.empty_like(found[:0])
        for points in found[np.argsort(-found[..., 2].mean(axis=1), kind="stable")]:
            if len(people) < MAX_PEOPLE and not (_shared(points, people) > MAX_SHARED).any():
                people = np.concatenate([people, points[None]])
        return list(people)

    def _roots(self) -> list[tuple[int, int, int]]:
        """Return row, column and joint of the local maxima of the joints' probabilities, surest first."""
        highest = cv2.dilate(self.probabilities, np.ones((3, 3), np.uint8))
        places = np.argwhere((self.probabilities == highest) & (self.probabilities >= MIN_ROOT))
        order = np.argsort(-self.probabilities[tuple(places.T)], kind="stable")
        return [(int(row), int(column), int(joint)) for row, column, joint in places[order]]

    def _person(self, root: GridPoint, joint: int) -> Points:
        """Return the points of the person with a joint at a place."""
        places = {joint: root}
        waiting = [joint]
        while waiting:
            begin = waiting.pop()
            for end, displacements in self.displacements[begin]:
                if end not in places:
                    place = places[begin] + displacements[self._cell(places[begin])]
                    for _ in range(REFINEMENTS):
                        place = self._place(self._cell(place), end)
                    places[end] = place
                    waiting.append(end)
        points = [
            (*places[joint][::-1], self.probabilities[(*self._cell(places[joint]), joint)])
            for joint in range(len(COCO_17))
        ]
        return np.array(points, np.float32)

    def _place(self, cell: tuple[int, int], joint: int) -> GridPoint:
        """Return where a joint is that is in or near a cell."""
        place: GridPoint = np.array(cell) * self.stride + self.offsets[cell][joint]
        return place

    def _cell(self, place: GridPoint) -> tuple[int, int]:
        """Return the cell nearest to a place."""
        rows, columns = self.probabilities.shape[:2]
        row, column = np.round(place / self.stride).astype(int)
        return int(np.clip(row, 0, rows - 1)), int(np.clip(column, 0, columns - 1))


def _probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of logits."""
    # unlike exp, tanh cannot overflow
    return ((1 + np.tanh(logits / 2)) / 2).astype(np.float32)


def _pairs(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return y in the first half of the channels and x in the second as ``(h, w, N, 2)``."""
    return np.stack(np.split(values, 2, axis=2), axis=3)


def _along_edges(
    forward: NDArray[np.float32], backward: NDArray[np.float32]
) -> list[list[tuple[int, NDArray[np.float32]]]]:
    """Return for each joint its neighbors, each with the displacements ``(h, w, 2)`` that lead to it."""
    neighbors: list[list[tuple[int, NDArray[np.float32]]]] = [[] for _ in COCO_17]
    for edge, (parent, child) in enumerate(_EDGES):
        one, other = COCO_17.index(parent), COCO_17.index(child)
        neighbors[one].append((other, forward[:, :, edge]))
        neighbors[other].append((one, backward[:, :, edge]))
    return neighbors


def side(points: Points, threshold: float = 0.0) -> float:
    """Return the longer side of the box around a person's points, in pixels; 0 without points.

    Args:
        points: the points.
        threshold: minimum probability of the points that count.
    """
    found = points[points[:, 2] >= threshold, :2]
    return float(np.ptp(found, axis=0).max()) if len(found) else 0.0


def _shared(points: Points, others: NDArray[np.float32]) -> NDArray[np.int_]:
    """Return how many of a person's points are where each of others has the same points.

    Args:
        points: the person's points.
        others: those of others, ``(N, 17, 3)``.

    Returns:
        int ``(N,)``.
    """
    apart = np.linalg.norm(points[:, :2] - others[..., :2], axis=2)
    shared: NDArray[np.int_] = np.count_nonzero(apart <= SAME_PLACE * side(points), axis=1)
    return shared
