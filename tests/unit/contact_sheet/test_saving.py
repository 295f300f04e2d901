"""The sheet in a real browser. Needs Chromium: ``apt-get install chromium``."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, sync_playwright

from skinfw.contact_sheet.build import build_sheet
from skinfw.contact_sheet.server import SheetServer
from skinfw.data.excluded import EXCLUDED_FILE, excluded

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NAMES = ["anna", "ben", "carl"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_change_that_was_not_saved_is_sent_again_with_the_next(
    tmp_path: Path, write_samples: Callable[..., list[Path]]
) -> None:
    write_samples(tmp_path / "people", NAMES)
    sheet = build_sheet(tmp_path / "people", NAMES, tmp_path / "sheet", num_workers=1)
    failures = ["the disk is full"]

    def answer(route: Route) -> None:
        if route.request.method == "POST" and failures:
            route.fulfill(status=500, body=f'"{failures.pop()}"')
        else:
            route.continue_()

    with SheetServer(sheet.parent, tmp_path / "people", NAMES) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.route(f"**/{EXCLUDED_FILE}", answer)
            page.goto(server.address)
            page.click("[data-name=anna]")
            page.wait_for_selector("#state:text('Not saved: the disk is full')")
            page.click("[data-name=ben]")
            page.wait_for_selector("#state:text('Saved in')")
            assert page.locator("[aria-pressed=true]").count() == 2
        finally:
            browser.close()
            server.shutdown()
            thread.join()
    assert excluded(tmp_path / "people") == {"anna", "ben"}
