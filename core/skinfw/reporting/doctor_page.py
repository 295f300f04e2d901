"""The doctor's page: the offenders, worst first, with small pictures and the reasons."""

from __future__ import annotations

from pathlib import Path

from skinfw.doctor.finding import MEANINGS, DoctorReport
from skinfw.jsonfile import write_text
from skinfw.reporting.pages import render_page
from skinfw.reporting.pictures import data_uri
from skinfw.reporting.sample_pictures import VIEWS, encoded, sample_views

SIDE = 200
"""Longer side of a small picture in pixels."""

MOST_PICTURED = 300
"""Offenders whose pictures stand in the page, the worst ones; the others are listed without, so that the page
stays small enough for a browser."""


def write_doctor_page(report: DoctorReport, base: Path, title: str, output: Path) -> None:
    """Write the page as one HTML file that needs nothing else.

    Args:
        report: what was found.
        base: the folder that the samples' names are relative to.
        title: what was looked at.
        output: the page's file.

    Raises:
        RunError: the file cannot be written.
    """
    offenders = [
        {
            "name": name,
            "findings": report.of_sample(name),
            "pictures": _pictures(base / name) if index < MOST_PICTURED else {},
        }
        for index, name in enumerate(report.offenders)
    ]
    counts = [(check, count, MEANINGS[check]) for check, count in report.counts().items()]
    page = render_page(
        "doctor.html",
        title=title,
        samples=report.samples,
        counts=counts,
        offenders=offenders,
        views=VIEWS,
        pictured=MOST_PICTURED,
    )
    # a name need not be valid UTF-8
    write_text(output, page.encode("utf-8", "replace").decode("utf-8"))


def _pictures(folder: Path) -> dict[str, str]:
    return {
        view: data_uri(encoded(picture), "image/webp") for view, picture in sample_views(folder, SIDE).items()
    }
