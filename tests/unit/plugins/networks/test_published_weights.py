from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from skinfw.errors import UserError
from skinfw_plugins.networks.published_weights import TORCHVISION, Frozen, feature_tensors


def test_names_end_in_the_beginning_of_their_hash() -> None:
    for file in TORCHVISION.values():
        assert file.url.endswith(f"/{file.name}")
        assert len(file.sha256) == 8
        int(file.sha256, 16)
        assert file.name.endswith(f"-{file.sha256}.pth")


def test_features_are_named_as_within_features(random_weights: Callable[..., Path]) -> None:
    whole = torch.load(random_weights("alexnet"), weights_only=True)
    found = feature_tensors("alexnet")
    assert set(found) == {"0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"} | {
        f"{place}.{name}" for place in (8, 10) for name in ("weight", "bias")
    }
    assert torch.equal(found["3.weight"], whole["features.3.weight"])


def test_weights_that_cannot_be_had_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("SKINFW_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", _fail)
    with pytest.raises(UserError, match=r"vgg19-dcbb9e9d\.pth: VGG-19 .* \(SHA-256 begins with dcbb9e9d"):
        feature_tensors("vgg19")


def _fail(*_: object, **__: object) -> None:
    raise OSError("no network")


def test_a_frozen_network_is_never_trained_and_follows_to_other_types() -> None:
    inner = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout(0.5))
    parent = nn.Sequential(Frozen(inner)).train()
    assert not inner.training
    assert not list(parent.parameters())
    assert not parent.state_dict()
    assert not any(parameter.requires_grad for parameter in inner.parameters())
    parent.to(torch.float64)
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    seen = parent(image)
    assert torch.equal(seen, inner(image))
    assert torch.equal(seen, inner[0](image)), "dropout is switched off"
    seen.sum().backward()
    assert image.grad is not None
    assert image.grad.any()
