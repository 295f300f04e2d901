"""Networks without data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from skinfw.assembly.without_data import without_data


@pytest.mark.parametrize(
    "fill", ["normal_", "uniform_", "kaiming_normal_", "xavier_uniform_", "trunc_normal_"]
)
def test_only_tensors_without_data_stay_as_they_are(fill: str) -> None:
    given = torch.full((4, 4), 9.0)
    with without_data():
        empty = nn.Linear(4, 4)
        assert getattr(nn.init, fill)(empty.weight) is empty.weight
        getattr(nn.init, fill)(given)
    assert empty.weight.is_meta and (given != 9).all()


def test_opening_a_model_imports_no_compiler(make_run: Callable[..., Any], tmp_path: Path) -> None:
    """torch imports it lazily, which takes as long as all else that opening a model takes."""
    run = make_run(tmp_path / "run")
    code = f"""
import sys, torch
from pathlib import Path
from skinfw.runs.checkpoint_networks import load_generator
from skinfw.runs.checkpoints import read_checkpoint
load_generator(read_checkpoint(Path(r"{run.checkpoint()}")), torch.device("cpu"))
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=400
    )
    assert done.stdout == "False\n", done.stderr
