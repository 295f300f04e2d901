"""Messages on the command line."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import click

from skinfw.errors import message


class PlainHandler(logging.Handler):
    """Writes log records to stderr as ``Warning: text``; info messages have no prefix."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.capitalize()}: "
        with suppress(OSError):  # the terminal is gone; the command goes on
            click.echo(f"{level}{message(record.getMessage())}", err=True)


def show_messages() -> None:
    """Show skinfw's log messages from now on; a second call changes nothing."""
    logger = logging.getLogger("skinfw")
    if not any(isinstance(handler, PlainHandler) for handler in logger.handlers):
        logger.addHandler(PlainHandler())
        logger.setLevel(logging.INFO)


def announce(line: str) -> None:
    """Print what a command starts with on stderr, if it is a terminal: loading takes some seconds."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
