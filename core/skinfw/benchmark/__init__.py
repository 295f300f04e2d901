"""Benchmarks of segmenters and pose encoders on photos with known ground truth."""
