from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import write_tflite

from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw_plugins.segmenters.config_networks import MediapipeConfig
from skinfw_plugins.segmenters.mediapipe import MediapipeSegmenter

COLORS = [(255, 255, 255), (30, 20, 20), (200, 150, 120), (230, 180, 60), (40, 60, 200), (0, 255, 0)]


def segmenter(path: Path) -> MediapipeSegmenter:
    return MediapipeSegmenter(MediapipeConfig(model=path), None)


def test_classes_and_regions(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 6, (8, 8))
    model = write_tflite(tmp_path / "größe.tflite", COLORS)
    found = segmenter(model).segment(Photo(np.array(COLORS, np.uint8)[codes]))
    assert np.array_equal(found.labels, codes)
    assert found.classes == ("background", "hair", "body_skin", "face_skin", "clothes", "others")
    assert np.array_equal(found.region("head"), np.isin(codes, [1, 3]))
    assert np.array_equal(found.region("skin"), codes == 2)
    assert "feet" not in found.regions


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (3, 200), (200, 3), (41, 57)])
def test_photos_of_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    found = segmenter(write_tflite(tmp_path / "model.tflite", COLORS))
    for code, color in enumerate(COLORS):
        labels = found.segment(Photo(np.full((*size, 3), color, np.uint8))).labels
        assert labels.shape == size and np.all(labels == code)


@pytest.mark.parametrize("content", [b"", b"no model", None])
def test_no_model(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="model") as caught:
        segmenter(path).segment(Photo(np.zeros((8, 8, 3), np.uint8)))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_no_fingerprint_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such model"):
        segmenter(tmp_path / "model.tflite").fingerprint()


def test_a_model_of_more_classes(tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "model.tflite", [*COLORS, (255, 0, 255)])
    with pytest.raises(UserError, match="returns the class 6, but the selfie multiclass model has 6"):
        segmenter(model).segment(Photo(np.full((8, 8, 3), (255, 0, 255), np.uint8)))


def test_the_fingerprint_is_that_of_the_model(tmp_path: Path) -> None:
    first = segmenter(write_tflite(tmp_path / "a.tflite", COLORS)).fingerprint()
    assert first == segmenter(write_tflite(tmp_path / "b.tflite", COLORS)).fingerprint()
    assert first != segmenter(write_tflite(tmp_path / "c.tflite", COLORS[::-1])).fingerprint()


def test_a_process_says_nothing_and_ends_without_a_traceback(tmp_path: Path) -> None:
    model = write_tflite(tmp_path / "model.tflite", COLORS)
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from skinfw.data.photo import Photo\n"
        "from skinfw_plugins.segmenters.config_networks import MediapipeConfig\n"
        "from skinfw_plugins.segmenters.mediapipe import MediapipeSegmenter\n"
        "segmenter = MediapipeSegmenter(MediapipeConfig(model=Path(sys.argv[1])), None)\n"
        "segmenter.segment(Photo(np.zeros((8, 8, 3), np.uint8)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_mediapipe_the_command_to_install_it_is_told() -> None:
    code = (
        "import sys\n"
        "sys.modules['mediapipe'] = None\n"
        "from skinfw.errors import RegistryError\n"
        "from skinfw.components.registry import installed\n"
        "try:\n"
        "    installed().component_class('segmenter', 'mediapipe')\n"
        "except RegistryError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'skinfw[mediapipe]'" in done.stdout
