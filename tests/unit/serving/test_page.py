"""The page in a real browser. Needs Chromium: ``apt-get install chromium``."""

from __future__ import annotations

import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from skinfw.inference.inpainter import Inpainter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")

DONE = "#result:not([hidden]), #error:not(:empty)"
TIMEOUT = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page in a new tab; at the end no tab may have failed."""
    tabs: list[Page] = []
    failed: list[str] = []

    def make(width: int = 1000, height: int = 900, **options: Any) -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#model option", state="attached")
        tabs.append(page)
        return page

    yield make
    for page in tabs:
        page.close()
    assert failed == []


def choose(page: Page, photo: Path) -> None:
    page.set_input_files("#file", photo)
    page.wait_for_selector("#stage:not([hidden])")


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the photo, in parts of its sides, is on the screen; it is fitted."""
    box = page.locator("#view").bounding_box()
    assert box is not None
    scale = min(box["width"] / 128, box["height"] / 192)
    return (
        box["x"] + box["width"] / 2 + (x - 0.5) * 128 * scale,
        box["y"] + box["height"] / 2 + (y - 0.5) * 192 * scale,
    )


def stroke(page: Page, *points: tuple[float, float]) -> None:
    page.locator("#view").scroll_into_view_if_needed()
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=4)
    page.mouse.up()


def paint(page: Page) -> None:
    page.click("#paint")
    page.wait_for_selector(DONE)
    assert page.inner_text("#error") == ""


def download(page: Page) -> np.ndarray:
    with page.expect_download() as got:
        page.click("#download")
    assert got.value.suggested_filename == "anna-painted.png"
    return np.asarray(Image.open(got.value.path()))


def test_draw_paint_compare_download(
    open_page: Callable[..., Page], inpainter: Inpainter, recorder: Any, photo: Path
) -> None:
    page = open_page()
    choose(page, photo)
    stroke(page, (0.5, 0.4), (0.5, 0.55))
    paint(page)
    mask = recorder.masks[-1]
    assert mask.shape == (192, 128)
    inside = np.zeros(mask.shape, bool)
    inside[round(0.4 * 192) : round(0.55 * 192), 62:66] = True
    assert mask[inside].all()
    assert not mask[:, :50].any() and not mask[:, 78:].any()
    expected = inpainter.paint(photo, mask)
    assert "Painted" in page.inner_text("#status")
    assert page.locator("#notes li").all_inner_texts() == expected.report["warnings"]
    assert np.array_equal(download(page), expected.image)
    before = page.locator("#view").screenshot()
    page.locator("#split").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    assert page.locator("#view").screenshot() != before
    page.click("#back")
    page.click("#undo")
    page.click("#paint")
    page.wait_for_selector("#error:not(:empty)")
    assert "Mark something" in page.inner_text("#error")


def test_a_double_click_paints_once(open_page: Callable[..., Page], recorder: Any, photo: Path) -> None:
    page = open_page()
    choose(page, photo)
    stroke(page, (0.5, 0.4), (0.5, 0.55))
    before = len(recorder.masks)
    page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('paint').click()")
    page.wait_for_selector(DONE)
    assert len(recorder.masks) == before + 1


def test_undo_waits_for_the_end_of_a_stroke(open_page: Callable[..., Page], photo: Path) -> None:
    page = open_page()
    choose(page, photo)
    page.locator("#view").scroll_into_view_if_needed()
    page.mouse.move(*place(page, 0.5, 0.4))
    page.mouse.down()
    page.keyboard.press("Control+z")
    page.mouse.move(*place(page, 0.5, 0.5))
    page.mouse.up()
    assert page.is_enabled("#undo")
    page.keyboard.press("Control+z")
    assert page.is_disabled("#undo")


def test_eraser_undo_redo_and_clear(open_page: Callable[..., Page], photo: Path) -> None:
    page = open_page()
    choose(page, photo)
    stroke(page, (0.3, 0.4), (0.3, 0.6))
    stroke(page, (0.7, 0.4), (0.7, 0.6))
    page.keyboard.press("Control+z")
    one = _mask(page)
    assert one[:, :64].any() and not one[:, 64:].any()
    page.keyboard.press("Control+y")
    both = _mask(page)
    assert both[:, :64].any() and both[:, 64:].any()
    page.click("#eraser")
    stroke(page, (0.7, 0.3), (0.7, 0.7))
    assert np.array_equal(_mask(page), one)
    page.click("#clear")
    assert not _mask(page).any()
    page.click("#undo")
    assert np.array_equal(_mask(page), one)


def _mask(page: Page) -> np.ndarray:
    """Return what the canvas shows as marked, in pixels of the screen's photo."""
    page.wait_for_timeout(200)
    shown = np.asarray(Image.open(io.BytesIO(page.locator("#view").screenshot())).convert("RGB")).astype(int)
    pink = (shown[..., 0] - shown[..., 1] > 60) & (shown[..., 2] - shown[..., 1] > 30)
    half = np.zeros((10, 128), bool)
    for column in range(128):
        x = round(column / 128 * shown.shape[1])
        half[:, column] = pink[:, x : x + 8].any()
    return half


def test_a_hole_is_found_and_painted(
    open_page: Callable[..., Page], recorder: Any, photo: Path, arms: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "anna.png"
    alpha = np.where(arms, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([np.asarray(Image.open(photo)), alpha])).save(path)
    page = open_page()
    choose(page, path)
    page.get_by_text("that look like holes").wait_for()
    paint(page)
    mask = recorder.masks[-1]
    assert mask.sum() > 0.8 * arms.sum() and not (mask & ~arms).any()
    assert (download(page)[..., 3] == 255).all()


def test_by_keyboard_alone(open_page: Callable[..., Page], recorder: Any, photo: Path) -> None:
    page = open_page()
    choose(page, photo)  # a file dialog belongs to the system
    assert page.evaluate("document.activeElement.id") == "view"
    page.keyboard.press("[")
    page.keyboard.down(" ")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.keyboard.up(" ")
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == "paint":
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result:not([hidden])")
    rows, columns = np.nonzero(recorder.masks[-1])
    # from the middle upwards
    assert abs(columns.mean() - 64) < 2 and rows.min() < 90 < rows.max()
    assert page.evaluate("document.activeElement.id") == "download"


def test_limbs_by_name(open_page: Callable[..., Page], inpainter: Inpainter, photo: Path) -> None:
    page = open_page()
    choose(page, photo)
    page.check("input[value=expose]")
    page.click("#paint")
    page.wait_for_selector("#error:not(:empty)")
    assert "Choose at least one limb" in page.inner_text("#error")
    page.check("input[value=thighs]")
    page.click("#paint")
    page.wait_for_selector("#result:not([hidden])")
    assert np.array_equal(download(page), inpainter.paint(photo, expose=("thighs",)).image)
    assert page.is_disabled("input[value=region]")  # this model finds no skin


def test_wrong_and_huge_files_are_one_message(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page()
    text = tmp_path / "notes.png"
    text.write_text("no image")
    page.set_input_files("#file", text)
    page.wait_for_selector("#error:not(:empty)")
    assert "cannot show the file" in page.inner_text("#error")
    huge = tmp_path / "huge.png"
    Image.fromarray(np.zeros((8000, 8000), np.uint8)).save(huge)
    page.set_input_files("#file", huge)
    page.wait_for_selector("#stage:not([hidden])")
    page.get_by_text("more than 50,000,000 pixels").wait_for()


def test_two_tabs_at_once(
    open_page: Callable[..., Page], inpainter: Inpainter, recorder: Any, photo: Path
) -> None:
    one, other = open_page(), open_page()
    for page in (one, other):
        choose(page, photo)
    one.check("input[value=expose]")
    one.check("input[value=thighs]")
    stroke(other, (0.5, 0.4), (0.5, 0.55))
    for page in (one, other):
        page.click("#paint")
    for page in (one, other):
        page.wait_for_selector("#result:not([hidden])")
    assert np.array_equal(download(one), inpainter.paint(photo, expose=("thighs",)).image)
    assert np.array_equal(download(other), inpainter.paint(photo, recorder.masks[-1]).image)


def test_cancel_leaves_the_queue(
    browser: Browser, serve: Callable[..., Any], inpainter: Inpainter, photo: Path
) -> None:
    go = threading.Event()

    class Waiting:
        def paint(self, *images: Any, **options: Any) -> Any:
            assert go.wait(60)
            return inpainter.paint(*images, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(inpainter, name)

    with serve(painter=Waiting()) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.wait_for_selector("#model option", state="attached")
        choose(page, photo)
        page.check("input[value=expose]")
        page.check("input[value=thighs]")
        page.click("#paint")
        page.click("#cancel")
        page.get_by_text("Canceled.").wait_for()
        assert page.is_enabled("#paint")
        go.set()
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(open_page: Callable[..., Page], photo: Path, scheme: str) -> None:
    page = open_page(width=360, height=740, has_touch=True, color_scheme=scheme)
    choose(page, photo)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(json.loads(f"[{background[4:-1]}]")) < 200) == (scheme == "dark")
    page.locator("#view").scroll_into_view_if_needed()
    page.touchscreen.tap(*place(page, 0.4, 0.5))
    assert page.is_enabled("#undo")


def test_everything_has_a_name(open_page: Callable[..., Page], photo: Path) -> None:
    page = open_page()
    choose(page, photo)
    for role in ("button", "radio", "slider", "checkbox", "combobox"):
        for element in page.get_by_role(role).all():
            name = element.evaluate("e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent")
            assert name.strip(), element.evaluate("e => e.outerHTML")


def test_the_token_is_asked_for(browser: Browser, serve: Callable[..., Any], photo: Path) -> None:
    with serve(token="s3cret") as server:
        page = browser.new_page()
        page.goto(server.address)
        page.wait_for_selector("#login:not([hidden])")
        page.fill("#token", "s3cret")
        page.keyboard.press("Enter")
        page.wait_for_selector("#model option", state="attached")
        assert page.is_hidden("#login")
        page.close()
