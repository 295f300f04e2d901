"""Painting with nothing but numpy, Pillow and ONNX Runtime around the network: no torch, no OpenCV."""

from __future__ import annotations

from skinfw.runtime.metadata import ModelMetadata, ParserClasses, read_metadata
from skinfw.runtime.onnx_model import OnnxModel

__all__ = ["ModelMetadata", "OnnxModel", "ParserClasses", "read_metadata"]
