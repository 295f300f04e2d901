from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from skinfw.components.field_names import BODY, SKIN
from skinfw.data.batch import Batch
from skinfw.errors import UserError
from skinfw.evaluation import metric_set as module
from skinfw.evaluation.metric_set import MetricSet
from skinfw.specs.spec import parse_spec
from skinfw_plugins.networks.lpips_distance import shared_distance

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def samples(target: Tensor = IMAGES, **masks: Tensor) -> Batch:
    """Samples whose skin is everywhere unless a mask says otherwise."""
    fields = {BODY: target, SKIN: torch.ones_like(target[:, :1]), **masks}
    return Batch([f"sample {index}" for index in range(len(target))], fields, types={})


def test_a_metric_that_cannot_run_has_a_reason_and_the_others_go_on(
    tiny_spec: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["ssim", "mse"])))
    small = IMAGES[..., :8, :8]  # below the window of ssim
    with caplog.at_level(logging.WARNING, "skinfw"):
        metrics.update(small, samples(small + 0.5))
    values = metrics.compute()
    assert values["image/ssim"] is None
    assert values["skin/mse"] == pytest.approx(0.25)
    assert "smaller than its 11x11" in metrics.unavailable["image/ssim"]
    assert "image/ssim" not in metrics.per_image
    assert any("image/ssim has no value" in message for message in caplog.messages)


def test_a_metric_that_fails_in_a_later_batch_has_no_value_at_all(tiny_spec: Callable[..., Any]) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["ssim"])))
    metrics.update(IMAGES, samples())
    metrics.update(IMAGES[..., :8, :8], samples(IMAGES[..., :8, :8]))
    assert metrics.compute() == {"image/ssim": None, "skin/ssim": None}
    assert metrics.per_image == {}


def test_a_metric_that_cannot_be_built_is_told_and_the_others_are_built(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.build_metric

    def build(reference: Any) -> Any:
        if reference.name == "psnr":
            raise UserError("its weights cannot be downloaded")
        return real(reference)

    monkeypatch.setattr(module, "build_metric", build)
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["psnr", "mse"])))
    assert set(metrics.info) == {"image/mse", "skin/mse"}
    assert metrics.unavailable["skin/psnr"] == "its weights cannot be downloaded"


def test_a_metric_whose_weights_cannot_be_had_has_a_reason_that_names_the_file(
    tiny_spec: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    shared_distance.cache_clear()
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["lpips", "mse"])))
    metrics.update(IMAGES, samples())
    assert metrics.compute() == {"image/mse": 0.0, "skin/mse": 0.0}
    for key in ("image/lpips", "skin/lpips"):
        for told in ("alexnet-owt-7be5be79.pth", "AlexNet", "begins with 7be5be79", str(tmp_path)):
            assert told in metrics.unavailable[key]


def test_two_metrics_of_one_type_keep_their_own_values(tiny_spec: Callable[..., Any]) -> None:
    metrics = ["mse", {"type": "mse", "regions": ["skin"]}, "mse"]
    metrics = MetricSet(parse_spec(tiny_spec(metrics=metrics)))
    metrics.update(IMAGES, samples(IMAGES + 0.1))
    keys = ["image/mse", "skin/mse", "skin/mse_2", "image/mse_3", "skin/mse_3"]
    assert list(metrics.compute()) == list(metrics.info) == keys


def test_images_without_skin_count_as_no_value(tiny_spec: Callable[..., Any]) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["mse"])))
    skin = torch.ones(2, 1, 16, 16)
    skin[1] = 0
    metrics.update(IMAGES, samples(IMAGES + 0.1, segmentation_skin=skin))
    assert metrics.per_image["skin/mse"] == [pytest.approx(0.01), None]
    assert metrics.compute()["skin/mse"] == pytest.approx(0.01)


def test_no_skin_anywhere_is_told(tiny_spec: Callable[..., Any]) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["mse"])))
    metrics.update(IMAGES, samples(segmentation_skin=torch.zeros(2, 1, 16, 16)))
    assert metrics.compute() == {"image/mse": 0.0, "skin/mse": None}
    assert "is there any skin" in metrics.unavailable["skin/mse"]


def test_each_region_is_that_of_its_mask(tiny_spec: Callable[..., Any]) -> None:
    metrics = [{"type": "mse", "regions": ["image", "face", "hands", "mask"]}]
    metrics = MetricSet(parse_spec(tiny_spec(metrics=metrics)))
    off = torch.full((2, 1, 16, 16), 0.1)
    face, hands, mask = (torch.zeros(2, 1, 16, 16) for _ in range(3))
    face[:, :, :4], hands[:, :, 4:8, :3], mask[:, :, 8:] = 1, 1, 1
    off[:, :, 4:8], off[:, :, 8:] = 0.2, 0.3
    metrics.update(IMAGES, samples(IMAGES + off, face=face, hands=hands, mask=mask))
    assert metrics.compute() == pytest.approx(
        {
            "image/mse": (0.01 + 0.04 + 2 * 0.09) / 4,
            "face/mse": 0.01,
            "hands/mse": 0.04,
            "mask/mse": 0.09,
        }
    )


@pytest.mark.parametrize("where", ["update", "compute", "metadata"])
def test_whatever_a_metric_raises_it_alone_has_no_value(
    where: str, tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory")

    metrics = MetricSet(parse_spec(tiny_spec(metrics=["psnr", "mse"])))
    metrics.update(IMAGES, samples())
    monkeypatch.setattr(metrics._metrics["skin/psnr"], where, fail)
    metrics.update(IMAGES, samples())
    assert metrics.compute() == {
        "image/psnr": 100.0,
        "skin/psnr": None,
        "image/mse": 0.0,
        "skin/mse": 0.0,
    }
    assert metrics.unavailable == {"skin/psnr": "RuntimeError: out of memory"}
    assert set(metrics.per_image) == {"image/psnr", "image/mse", "skin/mse"}


def test_whatever_building_raises_the_others_are_built(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.build_metric

    def build(reference: Any) -> Any:
        if reference.name == "psnr":
            raise OSError("no such file")
        return real(reference)

    monkeypatch.setattr(module, "build_metric", build)
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["psnr", "mse"])))
    assert metrics.unavailable == dict.fromkeys(["image/psnr", "skin/psnr"], "OSError: no such file")
    assert list(metrics.info) == ["image/mse", "skin/mse"]


def test_ctrl_c_is_not_taken_for_an_error_of_a_metric(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    metrics = MetricSet(parse_spec(tiny_spec(metrics=["mse"])))
    monkeypatch.setattr(metrics._metrics["skin/mse"], "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        metrics.update(IMAGES, samples())


def test_a_metric_with_too_few_values_has_none(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["mse"])))
    monkeypatch.setattr(metrics._metrics["skin/mse"], "update", lambda *_: torch.zeros(1))
    metrics.update(IMAGES, samples())
    assert metrics.compute() == {"image/mse": 0.0, "skin/mse": None}
    assert metrics.unavailable["skin/mse"] == "ValueError: returned values of shape (1,) for 2 images"


def test_a_metrics_card_stands_in_its_info(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = MetricSet(parse_spec(tiny_spec(metrics=["mse"])))
    monkeypatch.setattr(metrics._metrics["skin/mse"], "metadata", lambda: {"resize": 299})
    metrics.update(IMAGES, samples())
    assert metrics.info["skin/mse"].metadata == {}
    metrics.compute()
    assert metrics.info["skin/mse"].metadata == {"resize": "299"}
    assert metrics.info["image/mse"].metadata == {}
