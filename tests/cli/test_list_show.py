import json
import re

import pytest
from click.testing import CliRunner, Result

from skinfw.cli import main
from skinfw.cli.width import aligned
from skinfw.components.registry import KINDS, Registry, installed, load_registry


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_every_component_is_listed_in_aligned_columns() -> None:
    lines = call("list").stdout.splitlines()
    registry = load_registry()
    assert len(lines) == 1 + len(registry.entries)
    place = lines[0].index("summary")
    for line in lines[1:]:
        kind, name = line.split()[:2]
        entry = registry.entry(kind, name)
        assert line[place:].startswith(entry.summary)
        assert entry.provider in line
        # for photos without label maps, the parser in the package comes first
        is_default = bool(entry.default_for) and entry.name != "skin_color"
        assert ("default" in line.split(entry.provider)[1]) == is_default
        assert not entry.extra or f"needs extra {entry.extra}" in line


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_is_listed_alone(kind: str) -> None:
    lines = call("list", kind).stdout.splitlines()[1:]
    assert [line.split()[1] for line in lines] == load_registry().names(kind)
    assert {line.split()[0] for line in lines} == {kind}


def test_the_list_is_json_for_machines() -> None:
    listed = json.loads(call("list", "generator", "--json").stdout)
    assert [entry["name"] for entry in listed] == load_registry().names("generator")
    assert listed[0]["kind"] == "generator"
    assert listed[0]["provider"].startswith("skinfw ")


def test_columns_are_as_wide_as_their_widest_text() -> None:
    assert aligned([("a", "bb", ""), ("cccc", "d", "e")]) == ["a     bb", "cccc  d   e"]


def test_a_component_is_shown_with_default_range_and_unit() -> None:
    text = call("show", "discriminator", "patchgan").stdout
    entry = installed().entry("discriminator", "patchgan")
    assert text.startswith(
        f"discriminator patchgan: {entry.summary}\nfrom {entry.provider}, {entry.target}\n"
    )
    assert re.search(r"  patch  \(integer, at least 1, at most \d+, default 70\)\n      side in pixels", text)
    assert '  norm  (one of "batch", "instance", "none", default "batch")\n' in text
    assert re.search(r"  base_channels  \(integer, at least 1, at most \d+, default 64\)\n", text)
    assert "  conditional  (boolean, default true)\n" in text


def test_nested_parameters_and_components_are_shown() -> None:
    text = call("show", "dataset", "photos").stdout
    assert "  root  (path, required)\n" in text
    assert '  segmenter  (a segmenter, default "deepfashion")\n' in text
    assert "  prepare  (object)\n" in text
    assert (
        "      margin  (integer, at least 0, at most 100, default 3)\n          pixels of the photo" in text
    )
    assert "  cache  (path or null, default null)\n" in text


def test_where_a_file_comes_from_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    lines = call("show", "segmenter", "mediapipe").stdout.splitlines()
    place = lines.index("      MediaPipe's model selfie_multiclass_256x256.tflite")
    assert lines[place + 1].startswith("      to get it: download it from https://storage.googleapis.com/")
    assert lines[place + 1].endswith(" (license: Apache-2.0)")
    # of a nested field, and of one that may be null
    text = call("show", "segmenter", "haar").stdout
    assert text.count("to get it: download one from https://github.com/opencv/opencv/") == 1
    assert "to get it" not in call("show", "generator", "pix2pix").stdout


def test_a_list_and_an_alternative_are_shown() -> None:
    text = call("show", "metric", "ssim").stdout
    regions = '"image", "skin", "arms", "face", "hands", "mask"'
    assert f'(list of one of {regions}, length at least 1, default ["image", "skin"])' in text
    assert "default for metrics" in text
    text = call("show", "generator", "pix2pix").stdout
    assert "  depth  (integer, at least 1, at most 16 or null, default null)\n" in text


def test_every_parameter_of_every_component_is_shown() -> None:
    for kind, name in installed().entries:
        result = call("show", kind, name)
        assert result.exit_code == 0, result.output
        fields = installed().config_class(kind, name).model_fields
        for field in fields:
            assert f"\n  {field}  (" in result.stdout, (kind, name)
        assert ("no parameters" in result.stdout) == (not fields)
        shown = json.loads(call("show", kind, name, "--json").stdout)
        assert shown["name"] == name
        assert set(shown["parameters"].get("properties", {})) == set(fields)


def test_the_extra_that_a_component_needs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Registry()
    made.add_manifest(
        """[[component]]
        kind = "loss"
        name = "lace"
        target = "skinfw_plugins.losses.l1:L1Loss"
        config = "skinfw_plugins.losses.config:L1Config"
        summary = "Lace."
        extra = "lace"
        """,
        "skinfw-lace 2.1",
    )
    for module in ("list_components", "show"):
        monkeypatch.setattr(f"skinfw.cli.{module}.installed", lambda: made)
    assert call("list").stdout.splitlines()[1].split("  ")[-1] == "needs extra lace"
    assert "needs the extra lace\n" in call("show", "loss", "lace").stdout


@pytest.mark.parametrize(
    ("plural", "kind"), [("losses", "loss"), ("pose_encoders", "pose_encoder"), ("models", "model")]
)
def test_kinds_may_be_in_the_plural(plural: str, kind: str) -> None:
    plain = call("list", kind)
    assert plain.exit_code == 0 and call("list", plural).stdout == plain.stdout
    if kind == "loss":
        assert call("show", plural, "l1").stdout == call("show", kind, "l1").stdout


def test_unknown_kinds_and_names_are_told() -> None:
    for word, kind in (("generatr", "generator"), ("Losses", "loss"), ("pose encoders", "pose_encoder")):
        for arguments in (("list", word), ("show", word, "pix2pix")):
            result = call(*arguments)
            assert result.exit_code == 2
            assert f"unknown kind {word!r}; did you mean {kind!r}?" in result.stderr
    result = call("show", "generator", "pix2pi")
    assert result.exit_code == 2
    assert "unknown generator 'pix2pi'; did you mean 'pix2pix'?" in result.stderr


def test_lists_are_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    rows = CliRunner().invoke(main, ["list", "segmenter"]).output.splitlines()
    assert max(map(len, rows)) > 110
    monkeypatch.setenv("COLUMNS", "110")
    lines = CliRunner().invoke(main, ["list", "segmenter"]).output.splitlines()
    assert 90 < max(map(len, lines)) <= 110
    assert sorted(" ".join(lines).split()) == sorted(" ".join(rows).split())


@pytest.mark.parametrize("arguments", [["list"], ["list", "model"]])
def test_lists_fit_into_terminals_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = CliRunner().invoke(main, arguments).output.splitlines()
    assert 60 < max(map(len, lines)) <= 80


def test_several_columns_are_wrapped() -> None:
    words = "one two three four five six"
    lines = aligned([(words, "x", words)], 45)
    assert lines == ["one two three four    x  one two three four", "five six                 five six"]


def test_a_narrow_table_keeps_words_readable() -> None:
    rows = [("a", "one two three four five six seven"), ("bb", "x")]
    assert aligned(rows, 26) == ["a   one two three four", "    five six seven", "bb  x"]
    # 20 characters are too few for two columns
    assert aligned(rows, 20) == ["a  one two three", "four five six seven", "bb  x"]
    assert aligned(rows, 80) == aligned(rows)


def test_parameters_are_wrapped_with_their_indentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = CliRunner().invoke(main, ["show", "segmenter", "skin_color"]).output.splitlines()
    assert max(map(len, lines)) <= 60
    start = next(index for index, line in enumerate(lines) if line.startswith("      squared Mahalanobis"))
    assert lines[start + 1].startswith("        ")
