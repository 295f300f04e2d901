from __future__ import annotations

import json
import os
import re
import shutil
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
from huggingface_hub import _CACHED_NO_EXIST, constants
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from pydantic import ValidationError
from tiny_models import save_segformer

from skinfw.components.registry import installed
from skinfw.data.photo import Photo
from skinfw.errors import DataError, RegistryError, UserError
from skinfw_plugins.segmenters import huggingface
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
NOBODY, SILENT = 0, -1
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 24, 3), np.uint8)


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

    image = torch.tensor(IMAGE).permute(2, 0, 1)
    values = resize(image, [32, 32], antialias=True).float() / 255
    values = normalize(values, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None]
    with torch.inference_mode():
        scores = SegformerForSemanticSegmentation.from_pretrained(model).eval()(values).logits
    fine = torch.nn.functional.interpolate(scores, (40, 24), mode="bilinear", align_corners=False)
    found = segmenter(model).segment(Photo(IMAGE))
    assert np.mean(found.labels == fine.argmax(1)[0].numpy()) > 0.99
    assert len(np.unique(found.labels)) > 1
    assert found.classes == NAMES
    assert np.array_equal(found.region("skin"), found.labels == 3)


def test_fashns_parser_sees_photos_resized_by_area_to_its_own_size(tmp_path: Path) -> None:
    """The reference has a whole factor, for which area resizing is the mean of blocks of 2x2 pixels."""
    from transformers import SegformerForSemanticSegmentation

    folder = save_segformer(tmp_path, [f"class {code}" for code in range(18)])
    (folder / "preprocessor_config.json").unlink()
    photo = np.random.default_rng(1).integers(0, 256, (1152, 768, 3), np.uint8)
    blocks = photo.reshape(576, 2, 384, 2, 3).mean(axis=(1, 3)).round() / 255
    values = torch.tensor((blocks - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], dtype=torch.float32)
    with torch.inference_mode():
        network = SegformerForSemanticSegmentation.from_pretrained(folder).eval()
        scores = network(values.permute(2, 0, 1)[None]).logits
    fine = torch.nn.functional.interpolate(scores, (1152, 768), mode="bilinear", align_corners=False)
    found = segmenter(folder, labels="fashn").segment(Photo(photo))
    assert np.mean(found.labels == fine.argmax(1)[0].numpy()) > 0.99
    assert len(np.unique(found.labels)) > 1
    assert found.classes == LABEL_SETS["fashn"].classes
    assert np.array_equal(found.region("skin"), np.isin(found.labels, [12, 13, 14, 16]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_special_file_in_the_folder_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "config.json")
    with pytest.raises(UserError, match=r"config\.json: a (FIFO|device), not a regular file"):
        segmenter(tmp_path).segment(Photo(IMAGE))


@pytest.mark.parametrize("named", ["owner/kernel@main:x", {"": "owner/kernel"}, "flash_attention_2"])
@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_a_model_never_names_code_that_is_fetched_and_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: Any, key: str
) -> None:
    from transformers.integrations import hub_kernels

    fetched: list[Any] = []
    monkeypatch.setattr(hub_kernels, "get_kernel", lambda *names, **_: fetched.append(names))
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, key: named}), encoding="utf-8")
    with pytest.raises(UserError, match=r"sets attn_implementation to .*may run code from the hub"):
        segmenter(folder).segment(Photo(IMAGE))
    assert not fetched


def test_parts_of_a_model_name_no_code_either() -> None:
    from transformers import SegformerConfig

    config = SegformerConfig()
    huggingface.reject_kernels(config, "m")
    config.backbone_config = SegformerConfig(attn_implementation="owner/kernel")
    with pytest.raises(UserError, match=r"^m: its config\.json sets attn_implementation to 'owner/kernel'"):
        huggingface.reject_kernels(config, "m")


def test_scores_that_are_not_finite_are_no_class(model: Path) -> None:
    found = segmenter(model)
    with torch.no_grad():
        found._model.decode_head.classifier.bias[2] = torch.nan
    with pytest.raises(DataError, match="its scores for this photo are not finite"):
        found.segment(Photo(IMAGE))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (300, 2), (3, 3)])
def test_photos_of_any_size(model: Path, size: tuple[int, int]) -> None:
    photo = Photo(np.full((*size, 3), 90, np.uint8))
    assert segmenter(model).segment(photo).labels.shape == size


def own(labels: Any, other: Any = None) -> HuggingfaceConfig:
    return HuggingfaceConfig(model="owner/name", labels=labels, other=other)


def test_a_label_set_by_name() -> None:
    names = tuple(str(code) for code in range(18))
    assert label_set(names, own("atr"), "m") is LABEL_SETS["atr"]
    with pytest.raises(UserError, match=r"has 4 classes \('Background'.*but the label set atr has 18"):
        label_set(NAMES, own("atr"), "m")


def test_a_set_that_would_fit_better_can_be_named(model: Path) -> None:
    tables = segmenter(model, labels="lip").other_tables()
    assert 'labels "cihp"' in tables and 'labels "lip"' not in tables
    assert segmenter(model).other_tables() == {}


def test_what_the_table_leaves_out() -> None:
    table = {"background": ["Background"], "apparel": ["Hat"]}
    with pytest.raises(UserError, match="labels omits 'Upper-clothes', 'Left-leg'"):
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
        found.segment(Photo(IMAGE))


def test_a_class_in_two_regions() -> None:
    with pytest.raises(ValidationError, match="'Hat' is listed more than once"):
        own({"head": ["Hat"], "skin": ["Hat"]})


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = save_segformer(tmp_path, NAMES)
    weights = folder / "model.safetensors"
    torch.save({}, folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(UserError, match="safetensors") as caught:
        segmenter(folder).segment(Photo(IMAGE))
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder; give a model's folder, or its name"):
        segmenter(tmp_path / "nowhere").segment(Photo(IMAGE))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[str]]]:
    """Stand in for the hub: answers with a status, and gives the list of what it was asked.

    For `NOBODY` there is no server, and `SILENT` is one that takes the question and never answers.
    """
    servers: list[HTTPServer] = []
    over = threading.Event()
    monkeypatch.delenv("HF_HUB_ETAG_TIMEOUT", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def start(status: int) -> list[str]:
        asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                asked.append(self.path)
                if status == SILENT:
                    over.wait(60)
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Answer))
        address = f"http://127.0.0.1:{servers[0].server_port}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        if status != NOBODY:
            threading.Thread(target=servers[0].serve_forever, daemon=True).start()
        else:
            servers[0].server_close()
        return asked

    yield start
    over.set()
    for server in servers:
        if server.socket.fileno() >= 0:
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("status", [NOBODY, 503])
def test_a_hub_that_does_not_answer_is_asked_once(hub: Callable[[int], list[str]], status: int) -> None:
    asked = hub(status)
    began = time.monotonic()
    with pytest.raises(
        UserError, match=r"owner/name: is not a folder, is not in .*cache \(.*does not respond"
    ):
        segmenter(Path("owner/name")).fingerprint()
    assert time.monotonic() - began < SECONDS + 5
    assert len(asked) == (status > 0)


def test_a_hub_that_takes_the_question_and_is_silent(
    hub: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface, "SECONDS", 0.3)
    asked = hub(SILENT)
    began = time.monotonic()
    with pytest.raises(
        UserError, match=r"does not respond .* set HF_HUB_ETAG_TIMEOUT to more seconds \(now 0\.3"
    ):
        segmenter(Path("owner/name")).fingerprint()
    assert 0.3 <= time.monotonic() - began < 5
    assert asked == ["/owner/name/resolve/main/config.json"]


@pytest.mark.parametrize(("own", "setting"), [(60, 0.3), (0.1, 1)])
def test_the_hubs_own_setting_goes_first(
    hub: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch, own: float, setting: float
) -> None:
    monkeypatch.setattr(huggingface, "SECONDS", own)
    hub(SILENT)
    # the hub reads the variable when it is imported
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", str(setting))
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", setting)
    began = time.monotonic()
    assert hub_silence("owner/name", None)
    assert setting <= time.monotonic() - began < setting + 5


def test_a_model_that_the_hub_does_not_have_is_asked_for(hub: Callable[[int], list[str]]) -> None:
    hub(404)
    assert hub_silence("owner/name", None) is None
    with pytest.raises(UserError, match="owner/name: not a semantic-segmentation model"):
        segmenter(Path("owner/name")).fingerprint()


def test_whoever_asked_to_be_offline_is_not_told_of_a_slow_network(
    hub: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hub(404)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="and HF_HUB_OFFLINE is set; download it") as caught:
        segmenter(Path("owner/name")).fingerprint()
    assert "HF_HUB_ETAG_TIMEOUT" not in str(caught.value) and not asked


@pytest.mark.parametrize(("revision", "status"), [(None, NOBODY), ("v1", NOBODY), (None, SILENT)])
def test_a_model_in_the_cache_needs_no_hub(
    hub: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    revision: str | None,
    status: int,
) -> None:
    monkeypatch.setattr(huggingface, "SECONDS", 0.3)
    hub(status)
    folder, commit = tmp_path / "hub" / "models--owner--name", "0123456789abcdef" * 2 + "01234567"
    save_segformer(folder / "snapshots" / commit, NAMES)
    (folder / "refs").mkdir()
    (folder / "refs" / (revision or "main")).write_text(commit)
    found = segmenter(Path("owner/name"), revision=revision)
    assert found.segment(Photo(IMAGE)).classes == NAMES
    assert found.fingerprint() == commit


@pytest.mark.parametrize("found", [None, _CACHED_NO_EXIST])
def test_a_cache_that_does_not_tell_the_commit(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    monkeypatch.setattr(HuggingfaceSegmenter, "_model", None)
    monkeypatch.setattr(huggingface, "try_to_load_from_cache", lambda *_: found)
    with pytest.raises(UserError, match=r"^owner/name: .*does not contain its commit"):
        segmenter(Path("owner/name")).fingerprint()


def test_a_file_that_the_model_is_known_to_lack_is_not_in_the_cache(
    hub: Callable[[int], list[str]], tmp_path: Path
) -> None:
    hub(NOBODY)
    lacking = tmp_path / "hub" / "models--owner--name" / ".no_exist" / "main" / "config.json"
    lacking.parent.mkdir(parents=True)
    lacking.touch()
    with pytest.raises(UserError, match=r"is not in .*cache \(.*does not respond"):
        segmenter(Path("owner/name")).fingerprint()


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


def test_a_folder_without_a_spec_is_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELS", "models")
    assert HuggingfaceConfig(model="./name", labels="atr").model == str(tmp_path / "name")
    assert HuggingfaceConfig(model="$MODELS/name", labels="atr").model == str(tmp_path / "models" / "name")


@pytest.mark.parametrize(
    "name",
    [
        *("name", "n", "owner/name", "o/n", "Owner_1/na-me.v2", "_o/_n", "123", "a.b/c.d", "name.github"),
        *("n" * 96, f"{'o' * 96}/{'n' * 96}", "n" * 97, f"owner/{'n' * 97}"),
        *("owner/na--me", "a..b/c", "name-/x", "owner/-x", "owner/name.", "-x", "x-", "a//b", "a/", "a/b/c"),
        *("a b", "name\n", "owner/name.git", "name.git", "a.git/name", "a:b", "a\\b"),
    ],
)
def test_names_are_refused_that_the_hub_refuses(name: str) -> None:
    try:
        validate_repo_id(name)
    except HFValidationError:
        with pytest.raises(ValidationError, match=r"not a name on the Hugging Face hub: .*; a folder must"):
            HuggingfaceConfig(model=name, labels="atr")
    else:
        assert HuggingfaceConfig(model=name, labels="atr").model == name


@pytest.mark.parametrize("name", ["caf\u00e9/name", f"{'o' * 97}/name"])
def test_names_are_refused_that_only_older_versions_let_through(name: str) -> None:
    with pytest.raises(ValidationError, match="not a name on the Hugging Face hub"):
        HuggingfaceConfig(model=name, labels="atr")


def test_without_transformers_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.delitem(sys.modules, "skinfw_plugins.segmenters.huggingface", raising=False)
    with pytest.raises(RegistryError, match=re.escape("pip install 'skinfw[transformers]'")):
        installed().component_class("segmenter", "huggingface")
