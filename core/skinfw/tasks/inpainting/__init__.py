"""Inpainting: a generator that inpaints the skin."""
