from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from skinfw.cli.messages import show_messages


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The logger as a fresh command finds it; afterwards as it was."""
    found = logging.getLogger("skinfw")
    handlers, level = found.handlers[:], found.level
    found.handlers = []
    found.setLevel(logging.NOTSET)
    yield found
    found.handlers = handlers
    found.setLevel(level)


def test_what_is_shown(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        show_messages()
    logger.debug("too much")
    logger.info("prepared %d of %d photos", 3, 4)
    logger.warning("left out")
    logger.error("broken")
    shown = capsys.readouterr()
    assert shown.err == "prepared 3 of 4 photos\nWarning: left out\nError: broken\n"
    assert not shown.out


def test_names_of_strangers_cannot_steer_the_terminal(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    show_messages()
    logger.warning("%s: left out", "\x1b[2Jphoto" + "o" * 100_000)
    shown = capsys.readouterr().err
    assert shown.startswith("Warning: \\x1b[2Jphoto") and shown.endswith("o: left out\n")
    assert len(shown) < 1200
