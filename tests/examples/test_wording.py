"""Documents, docstrings and messages have none of a few phrases that read like a translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = (".py", ".md", ".html", ".toml", ".json", ".jinja")
FOLDERS = ("core", "plugins", "docs", "examples", "benchmarks", "tools")
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "registry.toml", "mkdocs.yml")

PHRASES = {
    r"(is|are|was|were|be|been) told": "it reports, the message says",
    r"by now": "now",
    r"anew": "again",
    r"(stands?|stood) (in(?! for)|under|there)": "is in, is the default of",
    r"whom": "who, or another sentence",
    r"(go|goes|went) by": "uses, depends on",
    r"(there )?(is|are|was|were) no (?!longer|more|such)[a-z]+": "is not a",
    r"(can|cannot|could) be had": "is available, can be downloaded",
    r"spec is silent": "by default",
    r"shall": "must, or another sentence",
}
"""Phrases that are not used, and what to write instead; a space also matches a line break. What begins with
"there" is fine: there is no folder."""

# between two words: blanks, the sign of a comment, and the ends of two strings that Python joins
_GAP = r"""(?:[\s#]|["']\s*f?["'])+"""
_PATTERNS = {re.compile(rf"\b(?:{phrase.replace(' ', _GAP)})\b", re.I): phrase for phrase in PHRASES}


def _paths() -> Iterator[Path]:
    yield from (ROOT / name for name in FILES)
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)


def _found(text: str) -> list[tuple[int, str]]:
    """Return the line and the phrase of everything in a text that should be written differently."""
    hits = [
        (match.start(), phrase)
        for pattern, phrase in _PATTERNS.items()
        for match in pattern.finditer(text)
        if not match[0].lower().startswith("there")
    ]
    return [(text.count("\n", 0, start) + 1, phrase) for start, phrase in sorted(hits)]


def test_texts_read_like_english() -> None:
    paths = list(_paths())
    assert len(paths) > 300
    errors = [
        f"{path.relative_to(ROOT)}:{line}: {phrase!r}; write instead: {PHRASES[phrase]}"
        for path in paths
        for line, phrase in _found(path.read_text(encoding="utf-8"))
    ]
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize(
    "text",
    [
        "All errors are told at once.",
        "# the errors are\n    # told at once",
        '"the file is no "\n    f"image"',
        "The split goes by names.",
        "Weights that cannot be had.",
    ],
)
def test_phrases_are_found_across_lines(text: str) -> None:
    assert len(_found(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "There is no folder.",
        "where there\n    are no files",
        "It is no longer there.",
        "A mock stands in for it.",
    ],
)
def test_good_phrases_are_left_alone(text: str) -> None:
    assert _found(text) == []
