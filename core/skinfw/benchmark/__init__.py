"""Measuring segmenters and pose encoders on photos whose answers are known."""
