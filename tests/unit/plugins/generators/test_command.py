from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from programs import INVERT, write_program

from skinfw.errors import DataError, UserError
from skinfw.testing import example_condition, example_generator_io
from skinfw_plugins.generators.command import CommandGenerator
from skinfw_plugins.generators.config_others import CommandConfig

SIZE = (16, 8)


def build(program: Path, inputs: tuple[str, ...] = ("apparel_head_foot", "mask"), **fields: Any) -> Any:
    config = CommandConfig.model_validate({"program": program, "inputs": inputs, **fields})
    return CommandGenerator(config, example_generator_io(SIZE, config.required_inputs))


def condition(batch: int = 2) -> torch.Tensor:
    """Images and masks in 8 bits."""
    values = example_condition(("apparel_head_foot", "mask"), batch, SIZE)
    return (values * 255).round() / 255


def test_a_program_turns_a_folder_of_inputs_into_one_of_results(tmp_path: Path) -> None:
    images = condition()
    for arguments in (None, ["{inputs}", "{outputs}", "--fast"]):
        given = {} if arguments is None else {"arguments": arguments}
        painted = build(write_program(tmp_path / "invert.py", INVERT), **given)(images)
        torch.testing.assert_close(painted, 1 - images[:, :3])


def test_it_sees_each_input_in_a_folder_of_its_own(tmp_path: Path) -> None:
    code = """
import pathlib
from PIL import Image
inputs = pathlib.Path(sys.argv[1])
assert sorted(each.name for each in inputs.iterdir()) == ["apparel_head_foot", "mask"]
for path in (inputs / "mask").iterdir():
    image = Image.open(path)
    assert (image.size, set(image.convert("L").tobytes())) == ((8, 16), {0, 255})
    image.convert("RGB").resize((80, 160), 0).save(pathlib.Path(sys.argv[2]) / path.name)
"""
    images = condition()
    assert torch.equal(
        build(write_program(tmp_path / "masks.py", code))(images), images[:, 3:].expand(-1, 3, -1, -1)
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit()", r"did not write 0\.png, 1\.png: it printed nothing"),
        ("sys.exit('no GPU')", "failed with exit code 1: no GPU"),
        ("import time; time.sleep(60)", "took longer than 0.3 seconds for one batch of images"),
        ("open(sys.argv[2] + '/0.png', 'w').write('x')", r"did not write 1\.png"),
        (
            "from PIL import Image\nfor n in '01': Image.new('RGB', (9, 9)).save(f'{sys.argv[2]}/{n}.png')",
            "9x9 does not have the shape of the samples",
        ),
    ],
)
def test_a_program_that_fails_is_quoted(tmp_path: Path, code: str, message: str) -> None:
    timeout = 0.3 if "sleep" in code else 60
    with pytest.raises(DataError, match=message):
        build(write_program(tmp_path / "fails.py", code), timeout=timeout)(condition())


def test_another_program_has_another_fingerprint(tmp_path: Path) -> None:
    first = build(write_program(tmp_path / "a.py", INVERT)).fingerprint()
    assert build(write_program(tmp_path / "a.py", INVERT)).fingerprint() == first
    assert build(write_program(tmp_path / "a.py", f"{INVERT}\n")).fingerprint() != first


def test_what_cannot_be_started_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none: cannot be started: No such file"):
        build(tmp_path / "none")(condition())
    with pytest.raises(UserError, match="heatmaps has 25 channels, which no image file holds"):
        build(tmp_path / "none", inputs=("heatmaps",))(torch.zeros(1, 25, *SIZE))
