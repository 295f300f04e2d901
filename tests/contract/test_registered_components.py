"""The contracts, for everything that skinfw's own manifest lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from skinfw import testing
from skinfw.components.kinds import KINDS
from skinfw.components.manifest import Entry
from skinfw.components.registry import installed
from skinfw.testing.component import INTERFACES
from skinfw.testing.contracts import CONTRACTS

OWN = [
    entry
    for entry in installed().entries.values()
    if entry.provider == f"skinfw {metadata.version('skinfw')}"
]
KEYS = [(entry.kind, entry.name) for entry in OWN]

each = pytest.mark.parametrize("entry", OWN, ids=[f"{kind}-{name}" for kind, name in KEYS])


def test_every_kind_has_an_interface_a_check_and_a_component() -> None:
    assert set(KINDS) == set(INTERFACES) == set(CONTRACTS) == {kind for kind, _ in KEYS}


def test_examples_and_components_match(example_makers: Mapping[tuple[str, str], Any]) -> None:
    assert sorted(example_makers) == sorted(KEYS), "every component needs an example in conftest.py"


@each
def test_entry_class_and_configuration(entry: Entry) -> None:
    testing.check_component(installed(), entry.kind, entry.name)


@each
def test_contract_of_its_kind(
    entry: Entry, example_makers: Mapping[tuple[str, str], Any], tmp_path: Path
) -> None:
    component = installed().component_class(entry.kind, entry.name)
    config_class = installed().config_class(entry.kind, entry.name)
    for example in example_makers[entry.kind, entry.name](tmp_path):
        config = config_class.model_validate(example.params)
        testing.check_config(config)
        CONTRACTS[entry.kind](component, config, **example.arguments)


def test_receptive_fields_are_declared_as_they_are(example_makers: Mapping[tuple[str, str], Any]) -> None:
    for kind, name in KEYS:
        if kind == "discriminator":
            for example in example_makers[kind, name](Path()):
                config = installed().config_class(kind, name).model_validate(example.params)
                testing.check_receptive_field(installed().component_class(kind, name), config)


def test_configurations_are_imported_without_heavy_libraries() -> None:
    code = (
        "import json, sys\n"
        "from skinfw.components.registry import installed\n"
        "heavy = {'torch', 'torchvision', 'torchmetrics', 'cv2', 'numpy', 'PIL'}\n"
        "found = {}\n"
        "for kind, name in installed().entries:\n"
        "    config = installed().config_class(kind, name)\n"
        "    for library in heavy & set(sys.modules):\n"
        "        found.setdefault(library, f'{kind} {name}')\n"
        "print(json.dumps(found))\n"
    )
    environment = {**os.environ, "SKINFW_NO_PLUGINS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {}, "the library is imported with the configuration of"


def test_what_a_silent_spec_measures_and_compares_with() -> None:
    assert installed().defaults("metrics") == ["psnr", "ssim", "mse", "tone_bias"]
    assert installed().defaults("baselines") == ["opencv_inpaint", "mean_color"]
