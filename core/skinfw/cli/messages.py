"""What skinfw logs, on the command line."""

from __future__ import annotations

import logging

import click


class PlainHandler(logging.Handler):
    """Writes log records to stderr as ``warning: text``."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        click.echo(f"{record.levelname.lower()}: {record.getMessage()}", err=True)


def show_messages() -> None:
    """Show what skinfw logs from now on; a second call changes nothing."""
    logger = logging.getLogger("skinfw")
    if not any(isinstance(handler, PlainHandler) for handler in logger.handlers):
        logger.addHandler(PlainHandler())
