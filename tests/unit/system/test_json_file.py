import json
import os
import stat
from pathlib import Path

import pytest

from skinfw.errors import RunError, SpecError
from skinfw.system.json_file import MAX_LEVELS, parse_json, read_json, replacing, write_json, write_text


def error(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read_json(path)
    assert caught.value.source == str(path)
    assert len(caught.value.errors) == 1
    return caught.value.errors[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "line 1, column 1"),
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        ("{}".encode("utf-16"), "byte-order mark"),
        (b'{"a": "\xff"}', "not UTF-8 text (byte 7)"),
        (b'{"a": 1,}', "not valid JSON at line 1, column"),
        (b'{"a": 1,\n "b": [2,]}', "line 2, column"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate key 'c'"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b"[" * 10_000, "nested too deeply"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "nested too deeply"),
        (b'{"root": "\\ud800x"}', "a string contains '\\ud800', a lone surrogate"),
        (b'{"\\udfff": 1}', "a lone surrogate"),
        (b"9" * 5000, "an integer of 5,000 digits; at most 300 are allowed"),
        (b'{"a": -' + b"9" * 301 + b"}", "300 are allowed"),
        (b'{"a": 1e999}', "1e999 is too large"),
        (b'{"a": 0.1' + b"1" * 100_000 + b"e999}", "is too large for a float"),
        ('{"a": 1}'.encode("utf-16-le"), "not valid JSON"),
        (b"// comment\n{}", "not valid JSON"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(data)
    assert words in error(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "no such file" in error(tmp_path / "spec.json")
    assert "is a folder" in error(tmp_path)
    assert "cannot be read" in error(tmp_path / "a\0b")
    (tmp_path / "file").touch()
    assert "cannot be read: Not a directory" in error(tmp_path / "file" / "spec.json")


def test_a_character_in_two_halves_is_read() -> None:
    assert parse_json(r'"\ud83d\ude00"') == "\N{GRINNING FACE}"


def test_nesting_up_to_the_limit_is_read() -> None:
    allowed = MAX_LEVELS - 1
    assert parse_json("[" * allowed + "]" * allowed)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * (allowed + 1) + "1" + "]" * (allowed + 1))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "é.json"
    value = {"text": "ü", "list": [1, 2.5, None, True]}
    write_json(path, value)
    assert read_json(path) == value
    assert "ü" in path.read_text(encoding="utf-8")
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & stat.S_IRUSR


@pytest.mark.parametrize("name", ["caf\udce9", "\ud800"])
def test_file_names_that_are_not_utf8_are_written_and_read_where_they_are_expected(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"names": [name]})
    assert json.loads(path.read_text("utf-8")) == {"names": [name]}
    assert "a lone surrogate" in error(path)
    if name == "\ud800":  # no name of a file
        with pytest.raises(SpecError, match="a lone surrogate"):
            read_json(path, file_names=True)
    else:
        assert read_json(path, file_names=True) == {"names": [name]}


def test_a_value_that_is_no_json_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        write_json(tmp_path / "file" / "spec.json", {})


def test_only_regular_files_of_a_sensible_size_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "fifo.json")
    assert "a FIFO" in error(tmp_path / "fifo.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    assert "a device" in error(tmp_path / "zero.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    assert "cannot be read" in error(tmp_path / "loop.json")
    monkeypatch.setattr("skinfw.system.json_file.MAX_BYTES", 10)
    (tmp_path / "large.json").write_text("[" + " " * 10 + "]")
    assert "larger than 10 bytes" in error(tmp_path / "large.json")


def test_a_file_may_be_read_by_whom_the_users_umask_allows(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "new") as temporary:
        temporary.unlink()
        temporary.touch(mode=0o600)  # as safetensors does
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("folder", "a folder is in the way; give another path"),
        ("file/x", "a file is in the way; give another"),
    ],
)
def test_what_is_in_the_way_of_a_file_is_named(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=f"{place}: cannot be written: {reason}"):
        write_text(tmp_path / place, "text")
