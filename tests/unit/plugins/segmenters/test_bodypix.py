from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import write_bodypix
from real_files import PHOTOS, needs_photos, needs_weights
from scipy.interpolate import RegularGridInterpolator

from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw_plugins.networks.bodypix import BodyPix, BodyPixScores, input_size, published_file, upsampled
from skinfw_plugins.networks.bodypix_config import PADDED, SHA256, BodyPixNetwork
from skinfw_plugins.networks.onnx_padding import explicitly_padded
from skinfw_plugins.pose_encoders.config import BodyPixPoseConfig
from skinfw_plugins.segmenters.bodypix import BodyPixSegmenter, part_labels
from skinfw_plugins.segmenters.config import BodyPixConfig, DeepfashionConfig
from skinfw_plugins.segmenters.deepfashion import DeepfashionSegmenter

NOISE = np.random.default_rng(0).integers(0, 256, (90, 70, 3)).astype(np.uint8)


def segmenter(weights: Path | None, **settings: Any) -> BodyPixSegmenter:
    return BodyPixSegmenter(BodyPixConfig(weights=weights, **settings), None)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_bodypix(tmp_path / "bodypix.onnx")


@pytest.mark.parametrize(
    ("size", "resolution", "stride", "expected"),
    [
        ((512, 512), 513, 8, (513, 513)),
        ((512, 256), 513, 16, (513, 257)),
        ((1101, 750), 257, 16, (257, 177)),
        ((1, 1), 65, 8, (65, 65)),
        ((3000, 2), 513, 32, (513, 33)),
    ],
)
def test_sides_are_multiples_of_the_stride_plus_one(
    size: tuple[int, int], resolution: int, stride: int, expected: tuple[int, int]
) -> None:
    assert input_size(size, resolution, stride) == expected


def test_upsampling_agrees_with_scipy() -> None:
    scores = np.random.default_rng(0).normal(size=(5, 4, 6)).astype(np.float32)
    found = upsampled(scores, (33, 25), (33, 25))
    grid = np.stack(np.meshgrid(np.linspace(0, 4, 33), np.linspace(0, 3, 25), indexing="ij"), axis=-1)
    expected = RegularGridInterpolator((range(5), range(4)), scores)(grid)
    # OpenCV's weights have five bits
    assert np.abs(found - expected).max() < 0.1
    assert np.array_equal(upsampled(scores, (33, 25), (33, 25), slice(10, 20)), found[10:20])
    assert upsampled(scores[..., 0], (33, 25), (33, 25)) == pytest.approx(found[..., 0], abs=1e-5)


@pytest.mark.parametrize("size", [(330, 100), (20, 20), (1, 1)])
def test_scores_lie_where_the_pose_has_its_points(size: tuple[int, int]) -> None:
    """Cells that hold their own place in the input show that of every pixel, as keypoints are resized."""
    stride, cells = 8, np.mgrid[:5, :4].transpose(1, 2, 0).astype(np.float32)
    found = upsampled(cells * stride, (33, 25), size)
    for y, x in {(0, 0), (size[0] // 2, size[1] // 3), (size[0] - 1, size[1] - 1)}:
        points = np.zeros((25, 3), np.float32)
        points[0] = x, y, 1
        wanted = Keypoints(points).resized(size, (33, 25)).points[0, 1::-1].clip(0, (32, 24))
        # OpenCV's weights have five bits
        assert found[y, x] == pytest.approx(wanted, abs=stride / 32)


def test_a_person_is_where_the_sigmoid_exceeds_the_threshold() -> None:
    rng = np.random.default_rng(0)
    scores = BodyPixScores(
        segments=rng.normal(size=(3, 3)).astype(np.float32),
        parts=rng.normal(size=(3, 3, 24)).astype(np.float32),
        joints=np.zeros((3, 3, 17), np.float32),
        offsets=np.zeros((3, 3, 34), np.float32),
        forward=np.zeros((3, 3, 32), np.float32),
        backward=np.zeros((3, 3, 32), np.float32),
        input_size=(17, 17),
    )
    for threshold in (0.3, 0.5, 0.8):
        labels = part_labels(scores, (17, 17), threshold)[::8, ::8]
        person = 1 / (1 + np.exp(-scores.segments)) > threshold
        assert np.array_equal(labels > 0, person)
        assert np.array_equal(labels[person], scores.parts.argmax(axis=2)[person] + 1)


def test_bands_of_rows_make_one_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skinfw_plugins.segmenters.bodypix._PIXELS", 7 * 30)
    rng = np.random.default_rng(1)
    scores = BodyPixScores(
        rng.normal(size=(9, 5)).astype(np.float32),
        *(rng.normal(size=(9, 5, channels)).astype(np.float32) for channels in (24, 17, 34, 32, 32)),
        (65, 33),
    )
    whole = part_labels(scores, (700, 30), 0.5)
    parts = upsampled(scores.parts, (65, 33), (700, 30)).argmax(axis=2) + 1
    person = upsampled(scores.segments, (65, 33), (700, 30)) > 0
    assert np.array_equal(whole, np.where(person, parts, 0))


def test_weights_of_another_stride_are_told(weights: Path) -> None:
    with pytest.raises(UserError, match=r"bodypix\.onnx: returns 5x5 cells for 65x65 pixels"):
        segmenter(weights, stride=8, resolution=65).segment(Photo(NOISE[:70]))


def test_the_network_sees_what_bodypix_wants(weights: Path) -> None:
    """Each cell of the small network is a linear function of one pixel, which can be computed by hand."""
    import onnx
    from onnx import numpy_helper

    network = BodyPix(BodyPixNetwork(weights=weights, stride=16, resolution=65))
    pixels = np.zeros((65, 65, 3), np.uint8)
    pixels[32, 48] = 255, 0, 51
    scores = network(pixels)
    kernels = {each.name: numpy_helper.to_array(each) for each in onnx.load(weights).graph.initializer}
    kernel = kernels["segments_kernel"][0, :, 0, 0]
    assert scores.segments.shape == (5, 5) and scores.parts.shape == (5, 5, 24)
    assert scores.joints.shape == (5, 5, 17) and scores.offsets.shape == (5, 5, 34)
    assert scores.segments[2, 3] == pytest.approx(kernel @ [1, -1, 51 / 127.5 - 1], abs=1e-5)
    assert scores.segments[0, 0] == pytest.approx(-kernel.sum(), abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (90, 70), (300, 5)])
def test_any_size(weights: Path, size: tuple[int, int]) -> None:
    photo = Photo(np.resize(NOISE, (*size, 3)))
    found = segmenter(weights, stride=16, resolution=129).segment(photo)
    assert found.labels.shape == size
    assert set(found.regions) == {"background", "head", "feet"}


def test_the_fingerprint_is_that_of_the_file(weights: Path, tmp_path: Path) -> None:
    other = write_bodypix(tmp_path / "other.onnx", seed=1)
    assert segmenter(weights).fingerprint() != segmenter(other).fingerprint()
    assert segmenter(weights).fingerprint() == segmenter(weights, threshold=0.5).fingerprint()


@pytest.mark.parametrize("config", [BodyPixConfig, BodyPixPoseConfig])
@pytest.mark.parametrize(("multiplier", "stride"), [(0.5, 32), (0.75, 16), (1, 8)])
def test_weights_that_are_not_known_by_name(
    weights: Path, config: type[BodyPixNetwork], multiplier: float, stride: int
) -> None:
    told = rf"for multiplier {multiplier:g} with stride {stride} \(known: 0\.5 with stride 8 and 0\.5 with "
    with pytest.raises(ValueError, match=told):
        config.model_validate({"multiplier": multiplier, "stride": stride})
    given = {"multiplier": multiplier, "stride": stride, "weights": weights}
    assert config.model_validate(given).weights == weights


def test_a_wrong_file_of_that_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    (tmp_path / "mobilenet_v1_050_stride8.onnx").write_bytes(b"other")
    with pytest.raises(UserError, match="531ab299ec72400c82ea3365a5024ed56112b89222a74f4b7ee4a46567e441b9"):
        segmenter(None).segment(Photo(NOISE))


def test_another_network_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper
    from onnx_models import write_graph

    shape = [1, None, None, 3]
    path = write_graph(
        tmp_path / "other.onnx",
        [helper.make_node("Identity", ["input"], ["same"])],
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, shape)],
        [],
    )
    with pytest.raises(UserError, match=r"no output named segments, .*is it BodyPix 2\?"):
        segmenter(path).segment(Photo(NOISE))


@needs_weights
def test_the_real_file_is_known_with_its_padding_written_out_and_without() -> None:
    path = published_file(0.5, 8)
    padded = explicitly_padded(path)
    model = onnx.load_from_string(padded)
    automatic = helper.make_attribute("auto_pad", "SAME_UPPER")
    pads = [each for node in model.graph.node for each in node.attribute if each.name == "pads"]
    assert len(pads) == 7
    for each in pads:
        each.CopyFrom(automatic)
    digests = [hashlib.sha256(content).hexdigest() for content in (model.SerializeToString(), padded)]
    assert digests == [SHA256[0.5, 8], PADDED[0.5, 8]]


@pytest.mark.parametrize("multiplier", [0.6, 2])
def test_multipliers_that_were_never_published(multiplier: float) -> None:
    with pytest.raises(ValueError, match=r"0\.5, 0\.75 or 1"):
        BodyPixConfig(multiplier=multiplier)


@needs_photos
@needs_weights
@pytest.mark.parametrize("stride", [8, 16])
def test_real_weights_find_the_person(stride: int) -> None:
    photos = sorted(PHOTOS.rglob("*_front.jpg"))[:8]
    truth = DeepfashionSegmenter(DeepfashionConfig(), None)
    overlaps = []
    for path in photos:
        photo = Photo.read(path)
        found, true = segmenter(None, stride=stride).segment(photo).person, truth.segment(photo).person
        overlaps.append((found & true).sum() / (found | true).sum())
    assert len(overlaps) == 8 and np.mean(overlaps) > 0.65
