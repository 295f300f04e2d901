from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from tiny_models import nearest_color, write_onnx

from skinfw.data.photo import Photo
from skinfw.errors import DataError, UserError
from skinfw_plugins.segmenters.config_networks import OnnxParserConfig
from skinfw_plugins.segmenters.label_sets import LABEL_SETS
from skinfw_plugins.segmenters.onnx_parser import OnnxParserSegmenter
from skinfw_plugins.segmenters.scores import best_class

COLORS = [(255, 255, 255), (200, 150, 120), (60, 30, 20), (40, 60, 200)]
LABELS: dict[str, Any] = {
    "classes": ["wall", "skin", "hair", "shirt"],
    "regions": {"background": ["wall"], "skin": ["skin"], "head": ["hair"], "apparel": ["shirt"]},
}
PLAIN = {"mean": (0, 0, 0), "std": (1, 1, 1)}


def segmenter(path: Path, **settings: Any) -> OnnxParserSegmenter:
    return OnnxParserSegmenter(
        OnnxParserConfig(**{"path": path, "labels": LABELS, **PLAIN, **settings}), None
    )


def noise(*size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


@pytest.mark.parametrize("size", [(12, 9), (1, 1), (1, 40), (50, 1)])
@pytest.mark.parametrize(
    ("made", "settings"),
    [
        ({}, {}),
        ({"channels_last": True}, {}),
        ({"bgr": True}, {"channels": "bgr"}),
        ({"codes": True}, {}),
        ({"codes": True, "channels_last": True}, {}),
        ({"second_output": True}, {}),
    ],
)
def test_every_pixel_has_the_class_of_its_color(
    tmp_path: Path, size: tuple[int, int], made: dict[str, Any], settings: dict[str, Any]
) -> None:
    path = write_onnx(tmp_path / "parser.onnx", COLORS, **made)
    image = noise(*size)
    found = segmenter(path, size=size, **settings).segment(Photo(image))
    assert np.array_equal(found.labels, nearest_color(image, COLORS))
    assert found.classes == ("wall", "skin", "hair", "shirt")
    assert np.array_equal(found.region("head"), nearest_color(image, COLORS) == 2)


def test_the_wrong_order_of_colors_gives_another_map(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "parser.onnx", COLORS, bgr=True)
    image = noise(12, 9)
    found = segmenter(path, size=(12, 9)).segment(Photo(image))
    assert np.array_equal(found.labels, nearest_color(image[..., ::-1], COLORS))


def test_mean_and_deviation_go_by_the_order_of_the_input(tmp_path: Path) -> None:
    """With values mapped linearly, the nearest color is that of colors mapped so."""
    mean, std = np.array([0.5, 0.25, 0.0]), np.array([0.5, 1.0, 2.0])
    path = write_onnx(tmp_path / "parser.onnx", COLORS, bgr=True)
    image = noise(12, 9)
    values = (image[..., ::-1] / 255 - mean) / std * 255  # of blue, green, red
    found = segmenter(path, size=(12, 9), channels="bgr", mean=tuple(mean), std=tuple(std))
    expected = nearest_color(values, [color[::-1] for color in COLORS])  # type: ignore[arg-type]
    assert np.array_equal(found.segment(Photo(image)).labels, expected)


def test_a_fixed_size_is_the_file_s_own(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "parser.onnx", COLORS, size=(16, 24))
    codes = np.kron(np.array([[0, 1, 2], [3, 0, 1]]), np.ones((20, 10), int))
    found = segmenter(path).segment(Photo(np.array(COLORS, np.uint8)[codes]))
    assert found.labels.shape == (40, 30)
    inner = np.zeros(codes.shape, bool)
    inner[3:17, 2:8] = inner[23:37, 12:18] = True
    assert np.array_equal(found.labels[inner], codes[inner])


def test_coarse_scores_are_interpolated_as_pytorch_does(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "parser.onnx", COLORS, pool=4)
    image = noise(32, 24)
    wanted = torch.tensor(COLORS) / 255
    values = torch.tensor(image) / 255
    scores = (2 * values @ wanted.T - (wanted**2).sum(1)).permute(2, 0, 1)[None]
    coarse = torch.nn.functional.avg_pool2d(scores, 4)
    fine = torch.nn.functional.interpolate(coarse, (32, 24), mode="bilinear", align_corners=False)
    found = segmenter(path, size=(32, 24)).segment(Photo(image))
    assert np.mean(found.labels == fine.argmax(1)[0].numpy()) > 0.999
    assert len(np.unique(found.labels)) > 1


def test_of_equal_scores_the_first_class_wins() -> None:
    scores = np.array([[[1, 2]], [[1, 3]], [[0, 3]]], np.float32)
    assert best_class(scores, (1, 2), "net").tolist() == [[0, 1]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("code", [0, 2])
def test_scores_that_are_not_finite_are_no_background(code: int, value: float) -> None:
    scores = np.zeros((3, 4, 4), np.float32)
    scores[code, 1, 2] = value
    with pytest.raises(DataError, match="net: its scores for this photo are not finite"):
        best_class(scores, (8, 8), "net")


def test_a_label_set_by_name(tmp_path: Path) -> None:
    count = len(LABEL_SETS["atr"].classes)
    colors = [(code * 13, code * 13, code * 13) for code in range(count)]
    path = write_onnx(tmp_path / "parser.onnx", colors)
    image = np.array([colors], np.uint8)
    found = segmenter(path, labels="atr", size=(1, count)).segment(Photo(image))
    assert found.labels.tolist() == [list(range(count))]
    assert found.classes[11] == "face" and found.region("head")[0, 11]


@pytest.mark.parametrize(
    ("made", "settings", "message"),
    [
        ({}, {"labels": "atr", "size": (8, 8)}, r"each of the label set's 18 classes.*\(1, 4, 8, 8\)"),
        ({}, {}, "set size to"),
        ({}, {"output": "masks"}, "has no output named masks"),
        ({"second_output": True}, {"output": "edge", "size": (8, 8)}, r"edge \(1, 2, 8, 8\)"),
        ({"size": (16, 16)}, {"size": (8, 8)}, "cannot be run on"),
    ],
)
def test_a_file_that_does_not_fit(
    tmp_path: Path, made: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    found = segmenter(write_onnx(tmp_path / "parser.onnx", COLORS, **made), **settings)
    with pytest.raises(UserError, match=message):
        found.segment(Photo(noise(8, 8)))


def test_codes_beyond_the_label_set(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "parser.onnx", COLORS, codes=True)
    labels = {"classes": ["a", "b"], "regions": {"background": ["a"]}}
    with pytest.raises(UserError, match=r"contains the code 3, but the label set has 2 classes"):
        segmenter(path, labels=labels, size=(8, 8)).segment(Photo(noise(8, 8)))


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_no_onnx_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "parser.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="ONNX file") as caught:
        segmenter(path, size=(8, 8)).segment(Photo(noise(8, 8)))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_an_input_that_is_no_image(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    shapes = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 5]) for name in "xy"}
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [shapes["x"]], [shapes["y"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "parser.onnx")
    with pytest.raises(UserError, match=r"expects x \(1, 5\)"):
        segmenter(tmp_path / "parser.onnx").segment(Photo(noise(8, 8)))


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    first = segmenter(write_onnx(tmp_path / "a.onnx", COLORS)).fingerprint()
    assert first == segmenter(write_onnx(tmp_path / "b.onnx", COLORS)).fingerprint()
    assert first != segmenter(write_onnx(tmp_path / "c.onnx", COLORS[::-1])).fingerprint()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"classes": ["a"], "regions": {"skin": ["b"]}}, "'b', which is not in classes"),
        ({"classes": ["a", "a"], "regions": {"skin": ["a"]}}, "a name more than once"),
        ({"classes": ["a"], "regions": {"skin": ["a"], "head": ["a"]}}, "'a' is listed more than once"),
    ],
)
def test_tables_that_contradict_themselves(labels: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OnnxParserConfig(path=Path("a.onnx"), labels=labels)
