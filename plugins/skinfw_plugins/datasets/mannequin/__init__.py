"""Mannequins: people drawn on the fly from a seed, with exact label maps and keypoints."""

from .canvas import CLASSES
from .drawing import Drawing, draw_person
from .looks import MONK_SKIN_TONES

__all__ = ["CLASSES", "MONK_SKIN_TONES", "Drawing", "draw_person"]
