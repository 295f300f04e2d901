"""Places in texts that others read."""

from __future__ import annotations

import pytest

from skinfw.components.relocate import license_for_others, texts_without_folders, without_folders


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("--weights=/home/anna/w.pt", "--weights=w.pt"),
        ("-I/usr/include -L~/lib", "-Iinclude -Llib"),
        (r"see C:\Users\anna\x.png, /home/anna/run/log: no", "see x.png, log: no"),
        (r"on \\host\share\x.png", "on x.png"),
        ("file:///home/anna/x https://anna:secret@host", "x https"),
        ("s3://bucket/a --at=https://host/a?b=/c/d", "s3://bucket/a --at=https://host/a?b=/c/d"),
        ("and/or 1/2 $DATA/x/y ${DATA}/x/y {inputs}/a/b hub:a/b@c", None),
        (r"\d+\w /data", None),
    ],
)
def test_places_in_texts(text: str, shared: str | None) -> None:
    assert texts_without_folders({"x": [text, 1, None]}) == {"x": [shared or text, 1, None]}
    assert without_folders([f"a {text}"]) == [f"a {shared or text}"]


def test_only_what_is_cited_is_a_whole_path() -> None:
    about = {"address": "/home/anna b/photos", "stated": "https://host/a/b", "note": "/home/anna/x: mine"}
    wanted = {"address": "photos", "stated": "https://host/a/b", "note": "x: mine"}
    assert license_for_others(about) == wanted
