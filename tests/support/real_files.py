"""Folders outside the project that some tests read, and the marks that skip these tests without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_PHOTOS, _WEIGHTS = os.environ.get("SKINFW_TEST_DATA"), os.environ.get("SKINFW_WEIGHTS")

PHOTOS = Path(_PHOTOS or "SKINFW_TEST_DATA is not set")
"""DeepFashion In-shop's folders with label maps, and OpenPose's JSON in ``openpose/``."""

needs_photos = pytest.mark.skipif(
    not _PHOTOS, reason="set SKINFW_TEST_DATA to a folder of DeepFashion In-shop with label maps"
)
needs_weights = pytest.mark.skipif(
    not _WEIGHTS, reason="set SKINFW_WEIGHTS to a folder with the published weights"
)
