"""Exporting a trained network as one ONNX file that needs no torch."""
