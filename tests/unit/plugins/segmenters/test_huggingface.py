from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from pydantic import ValidationError
from tiny_models import save_segformer

from skinfw.data.photo import Photo
from skinfw.errors import UserError
from skinfw_plugins.segmenters.config_networks import HuggingfaceConfig
from skinfw_plugins.segmenters.huggingface import SECONDS, HuggingfaceSegmenter, hub_silence, label_set
from skinfw_plugins.segmenters.label_sets import LABEL_SETS

NAMES = ("Background", "Hat", "Upper-clothes", "Left-leg")
REGIONS: dict[str, Any] = {
    "background": ["Background"],
    "head": ["Hat"],
    "apparel": ["Upper-clothes"],
    "skin": ["Left-leg"],
}
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 24, 3), np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_segformer(tmp_path_factory.mktemp("model"), NAMES)


def segmenter(model: Path, **settings: Any) -> HuggingfaceSegmenter:
    return HuggingfaceSegmenter(
        HuggingfaceConfig(**{"model": str(model), "labels": REGIONS, **settings}), None
    )


def test_the_labels_are_what_the_model_says(model: Path) -> None:
    """The reference goes round the processor: torchvision's resizing, ImageNet's mean and deviation."""
    from torchvision.transforms.v2.functional import normalize, resize
    from transformers import SegformerForSemanticSegmentation

    picture = torch.tensor(PICTURE).permute(2, 0, 1)
    values = resize(picture, [32, 32], antialias=True).float() / 255
    values = normalize(values, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None]
    with torch.inference_mode():
        scores = SegformerForSemanticSegmentation.from_pretrained(model).eval()(values).logits
    fine = torch.nn.functional.interpolate(scores, (40, 24), mode="bilinear", align_corners=False)
    found = segmenter(model).segment(Photo(PICTURE))
    assert np.mean(found.labels == fine.argmax(1)[0].numpy()) > 0.99
    assert len(np.unique(found.labels)) > 1
    assert found.classes == NAMES
    assert np.array_equal(found.region("skin"), found.labels == 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (300, 2), (3, 3)])
def test_photos_of_any_size(model: Path, size: tuple[int, int]) -> None:
    photo = Photo(np.full((*size, 3), 90, np.uint8))
    assert segmenter(model).segment(photo).labels.shape == size


def own(labels: Any, other: Any = None) -> HuggingfaceConfig:
    return HuggingfaceConfig(model="owner/name", labels=labels, other=other)


def test_a_label_set_by_name() -> None:
    names = tuple(str(code) for code in range(18))
    assert label_set(names, own("atr"), "m") is LABEL_SETS["atr"]
    with pytest.raises(UserError, match=r"has 4 classes \('Background'.*the label set atr has 18"):
        label_set(NAMES, own("atr"), "m")


def test_what_the_table_leaves_out() -> None:
    table = {"background": ["Background"], "apparel": ["Hat"]}
    with pytest.raises(UserError, match="labels leaves out 'Upper-clothes', 'Left-leg'"):
        label_set(NAMES, own(table), "m")
    filled = label_set(NAMES, own(table, "apparel"), "m")
    assert filled.regions == {
        "background": ("Background",),
        "apparel": ("Hat", "Upper-clothes", "Left-leg"),
    }
    assert label_set(NAMES, own(table, "skin"), "m").regions["skin"] == ("Upper-clothes", "Left-leg")


def test_a_class_that_the_model_lacks(model: Path) -> None:
    found = segmenter(model, labels={"skin": ["Arm"]})
    with pytest.raises(UserError, match="has no class 'Arm'; its classes are 'Background', 'Hat'"):
        found.segment(Photo(PICTURE))


def test_a_class_in_two_regions() -> None:
    with pytest.raises(ValidationError, match="'Hat' stands in it more than once"):
        own({"head": ["Hat"], "skin": ["Hat"]})


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_segformer(tmp_path, NAMES)
    weights = folder / "model.safetensors"
    torch.save({}, folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(UserError, match="safetensors") as caught:
        segmenter(folder).segment(Photo(PICTURE))
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no semantic-segmentation model"):
        segmenter(tmp_path / "nowhere").segment(Photo(PICTURE))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[str]]]:
    """Stand in for the hub: answers with a status, and gives the list of what it was asked."""
    servers: list[HTTPServer] = []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def start(status: int) -> list[str]:
        asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                asked.append(self.path)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Answer))
        address = f"http://127.0.0.1:{servers[0].server_port}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        if status:
            threading.Thread(target=servers[0].serve_forever, daemon=True).start()
        else:
            servers[0].server_close()
        return asked

    yield start
    for server in servers:
        if server.socket.fileno() >= 0:
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("status", [0, 503])
def test_a_hub_that_does_not_answer_is_asked_once(hub: Callable[[int], list[str]], status: int) -> None:
    asked = hub(status)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"owner/name: is no folder, is not in .*cache \(.*does not answer"):
        segmenter(Path("owner/name")).fingerprint()
    assert time.monotonic() - began < SECONDS + 5
    assert len(asked) == (status > 0)


def test_a_model_that_the_hub_does_not_have_is_asked_for(hub: Callable[[int], list[str]]) -> None:
    hub(404)
    assert hub_silence("owner/name", None) is None
    with pytest.raises(UserError, match="owner/name: no semantic-segmentation model"):
        segmenter(Path("owner/name")).fingerprint()


@pytest.mark.parametrize("revision", [None, "v1"])
def test_a_model_in_the_cache_needs_no_hub(
    hub: Callable[[int], list[str]], tmp_path: Path, revision: str | None
) -> None:
    hub(0)
    folder, commit = tmp_path / "hub" / "models--owner--name", "0123456789abcdef" * 2 + "01234567"
    save_segformer(folder / "snapshots" / commit, NAMES)
    (folder / "refs").mkdir()
    (folder / "refs" / (revision or "main")).write_text(commit)
    found = segmenter(Path("owner/name"), revision=revision)
    assert found.segment(Photo(PICTURE)).classes == NAMES
    assert found.fingerprint() == commit


def test_the_fingerprint_follows_the_weights(tmp_path: Path) -> None:
    first = segmenter(save_segformer(tmp_path / "a", NAMES)).fingerprint()
    assert first == segmenter(save_segformer(tmp_path / "b", NAMES)).fingerprint()
    assert first != segmenter(save_segformer(tmp_path / "c", NAMES, seed=1)).fingerprint()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("owner/name", "owner/name"),
        ("name", "name"),
        ("./name", "/specs/name"),
        ("/models/name", "/models/name"),
    ],
)
def test_names_and_folders(given: str, expected: str) -> None:
    value = {"model": given, "labels": "atr"}
    config = HuggingfaceConfig.model_validate(value, context={"folder": Path("/specs")})
    assert config.model == expected
    written = json.loads(config.model_dump_json())
    assert HuggingfaceConfig.model_validate(written, context={"folder": Path("/elsewhere")}) == config


def test_without_transformers_the_command_to_install_it_is_told() -> None:
    code = (
        "import sys\n"
        "sys.modules['transformers'] = None\n"
        "from skinfw.errors import RegistryError\n"
        "from skinfw.registry import installed\n"
        "try:\n"
        "    installed().component_class('segmenter', 'huggingface')\n"
        "except RegistryError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'skinfw[transformers]'" in done.stdout
