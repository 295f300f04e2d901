"""One evaluated run, and a hub on this machine to share it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from local_hub import LocalHub, local_hub

from skinfw.models import hub as names
from skinfw.runs.folder import Run
from skinfw.tasks.evaluate_run import evaluate_run


@pytest.fixture(scope="package")
def run(make_run: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An evaluated run."""
    made: Run = make_run(
        tmp_path_factory.mktemp("runs") / "tiny",
        generator={"type": "pix2pix", "base_channels": 4},
        discriminator=None,
        losses=["l1"],
        composite="mask",
        metrics=["psnr", "ssim"],
    )
    evaluate_run(made)
    return made


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    """The hub; nothing of it is on disk yet."""
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    names._fetched.cache_clear()
    with local_hub(monkeypatch) as started:
        yield started
