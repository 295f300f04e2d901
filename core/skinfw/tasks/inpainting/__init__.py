"""Inpainting: a generator that paints the skin."""
