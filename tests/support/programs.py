"""Programs that stand for those of others."""

from __future__ import annotations

import sys
from pathlib import Path

INVERT = """
import pathlib
from PIL import Image, ImageOps
inputs, outputs = map(pathlib.Path, sys.argv[1:3])
for path in (inputs / "apparel_head_foot").iterdir():
    ImageOps.invert(Image.open(path)).save(outputs / path.name)
"""
"""Inverts the images of its first folder into its second."""


def write_program(path: Path, code: str) -> Path:
    """Write a program in this Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}", encoding="utf-8")
    path.chmod(0o755)
    return path
