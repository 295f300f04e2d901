"""Mannequins: people drawn on the fly from a seed, with exact label maps and keypoints."""

from .canvas import CLASSES
from .drawing import Drawing, draw_person

__all__ = ["CLASSES", "Drawing", "draw_person"]
