"""Builds the gallery of the example specs; a hook of mkdocs.

A spec of drawn people shows its report: that of a run in ``runs/``, or else of a small one, which is trained
once and kept in ``runs/docs``. An ablation shows its page if it was run on drawn people. Reports on photos
are never published.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from PIL import Image

from skinfw.system.source_code import code_fingerprint
from skinfw_plugins.inputs.config import ApparelConfig

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "runs"

PAGE = "gallery.md"
CARDS = "<!-- cards -->"
"""What the page holds in place of the cards."""

SHOWS: Mapping[str, str] = {
    "quickstart": "Train a U-Net on drawn people in minutes, without photos or a GPU: the colors of the face "
    "tell the color of the skin.",
    "region": "Paint without a skin mask: the network finds the skin inside a wide mask itself.",
    "photos": "Train on your own photos, with the best settings we found: all skin in the color of the face, "
    "then corrected by a U-Net.",
    "parser": "Train a parser that finds skin, clothes and hair in photos, starting from BodyPix.",
    "report": "The report's own model: pix2pix and PatchGAN at 512x512 pixels for 120 epochs.",
}
"""What each spec in ``examples`` shows; ablations ask a question themselves."""

SMALL: Mapping[str, Any] = {
    "data.dataset.count": 400,
    "data.size": [96, 48],
    "generator.base_channels": 16,
    "training.epochs": 8,
    "training.threads": 1,
}
"""What is set for the small runs: less than a minute of CPU time each."""

SMALL_NOTE = (
    f"Trained small for this page: {SMALL['data.dataset.count']} drawn people, "
    f"{SMALL['training.epochs']} epochs. As written, the spec trains longer and paints better."
)

ABLATIONS = (
    "<p>Each trains several variants and compares them, as in the report that skinfw implements. Its command "
    "takes a minute or two with drawn people, too short to learn anything, and writes tables, plots and a "
    "page; <code>--size photos</code> trains on your photos.</p>\n"
)

EVALUATIONS = "evaluations"
"""The folder in a run with evaluations of other data."""

CAPTION = "Best, median and worst test image: input, output, truth."

_PARTS = ("apparel_head_foot", "output", "target")
_SAMPLES = ("best-1", "median-1", "worst-1")
_HEIGHT, _GAP = 192, 12
_SIDE = "#ffffff"


@dataclass
class Card:
    """An example: its spec, what it shows, and what was made with it.

    Attributes:
        path: the file of the spec or ablation.
        title: its title.
        text: what it shows.
        command: how to run it.
        variants: the variants of an ablation.
        page: the report or the page of the ablation; None if it was not run.
        note: how the report was made; empty if there is none.
    """

    path: Path
    title: str
    text: str
    command: str
    variants: list[str] = field(default_factory=list)
    page: Path | None = None
    note: str = ""

    @property
    def place(self) -> str:
        """Its folder below that of the gallery's page."""
        return self.path.relative_to(ROOT / "examples").with_suffix("").as_posix()


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the cards into the gallery's page."""
    if page.file.src_uri != PAGE:
        return markdown
    before, _, rest = markdown.partition(CARDS)
    return before + cards_html(list(cards())) + rest.partition("<!-- end -->")[2]


def on_post_build(config: MkDocsConfig) -> None:
    """Copy specs, reports and pictures into the site."""
    folder = Path(config.site_dir, "gallery")
    for card in cards():
        target = folder / card.place
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(card.path, target / "spec.json")
        if card.page is not None:
            copy_page(card.page, target)
            image = strip(card.page.parent)
            if image is not None:
                image.save(target / "strip.png")


def cards() -> Iterator[Card]:
    """Yield a card for each spec, then for each ablation."""
    for path in sorted((ROOT / "examples").glob("*.json"), key=lambda each: list(SHOWS).index(each.stem)):
        spec = json.loads(path.read_text(encoding="utf-8"))
        prefix = "SKINFW_DATA=$PWD/photos " if "$SKINFW_DATA" in json.dumps(spec) else ""
        card = Card(
            path, path.stem.capitalize(), SHOWS[path.stem], f"{prefix}skinfw run examples/{path.name}"
        )
        card.page, card.note = report_of(path, spec)
        yield card
    for path in sorted((ROOT / "examples" / "report").glob("*.json")):
        ablation = json.loads(path.read_text(encoding="utf-8"))
        card = Card(
            path, ablation["title"], ablation["question"], f"skinfw ablate examples/report/{path.name}"
        )
        card.variants = list(ablation["variants"])
        for folder in (RUNS / f"{path.stem}-smoke", RUNS / path.stem):
            if (folder / "ablation.html").is_file() and uses_drawn_people(folder):
                card.page, card.note = (
                    folder / "ablation.html",
                    f"Of the runs in runs/{folder.name}.",
                )
                break
        yield card


def report_of(path: Path, spec: dict[str, Any]) -> tuple[Path | None, str]:
    """Return the report of a spec on drawn people and how it was made; None and an empty text for photos."""
    if not drawn(spec):
        return None, "Needs photos: a report shows them, so none is published here."
    own = RUNS / path.stem / "report.html"
    if own.is_file() and uses_drawn_people(own.parent):
        return own, f"Of the run in runs/{path.stem}."
    return small_run(path), SMALL_NOTE


def uses_drawn_people(folder: Path) -> bool:
    """Return whether all runs in a folder, or the run that it is, used drawn people only."""
    specs = [json.loads(each.read_text(encoding="utf-8")) for each in folder.rglob("spec.json")]
    return bool(specs) and all(map(drawn, specs))


def drawn(spec: dict[str, Any]) -> bool:
    """Return whether the data of a spec are drawn people."""
    dataset = spec["data"].get("dataset")
    return isinstance(dataset, dict) and dataset["type"] == "mannequins"


def small_run(path: Path) -> Path:
    """Return the report of a small run of a spec, trained if the spec, the settings or skinfw's code changed.

    Raises:
        PluginError: it fails.
    """
    made_of = json.dumps([path.read_text(encoding="utf-8"), SMALL, code_fingerprint([ApparelConfig])])
    key = hashlib.sha256(made_of.encode()).hexdigest()[:8]
    report = RUNS / "docs" / f"{path.stem}-{key}" / "report.html"
    if not report.is_file():
        settings = [part for key, value in SMALL.items() for part in ("--set", f"{key}={json.dumps(value)}")]
        command = [sys.executable, "-m", "skinfw", "run", str(path), "-o", str(report.parent), "--overwrite"]
        done = subprocess.run(
            [*command, *settings],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        if done.returncode:
            raise PluginError(f"{path}: cannot be run for the gallery: {done.stderr.strip()[-500:]}")
    return report


def copy_page(page: Path, target: Path) -> None:
    """Copy a page and the files below its folder that it links to, with theirs.

    Evaluations stay, which may be of photos.
    """
    root, left, seen = page.parent.resolve(), [page.resolve()], set[Path]()
    while left:
        path = left.pop()
        inside = path.is_relative_to(root) and EVALUATIONS not in path.relative_to(root).parts
        if path in seen or not inside or not path.is_file():
            continue
        seen.add(path)
        place = target / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
        if path.suffix == ".html":
            left += linked_files(path)


def linked_files(page: Path) -> list[Path]:
    """Return the files on this machine that a page links to or shows."""
    found = _Links()
    found.feed(page.read_text(encoding="utf-8"))
    parts = map(urlsplit, found.targets)
    return [
        (page.parent / unquote(each.path)).resolve()
        for each in parts
        if each.path and not each.scheme and not each.netloc
    ]


class _Links(HTMLParser):
    """Collects what the elements of a page refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]


def strip(run: Path) -> Image.Image | None:
    """Return the best, the median and the worst test image of a run side by side: input, output, truth."""
    rows = [[run / "samples" / "test" / f"{name}-{part}.png" for part in _PARTS] for name in _SAMPLES]
    if not all(path.is_file() for row in rows for path in row):
        return None
    images = [[_scaled(path) for path in row] for row in rows]
    width = images[0][0].width
    whole = len(_PARTS) * width
    found = Image.new("RGB", (len(rows) * whole + (len(rows) - 1) * _GAP, _HEIGHT), _SIDE)
    for index, row in enumerate(images):
        for column, image in enumerate(row):
            found.paste(image, (index * (whole + _GAP) + column * width, 0))
    return found


def _scaled(path: Path) -> Image.Image:
    with Image.open(path) as image:
        width = round(image.width * _HEIGHT / image.height)
        return image.convert("RGB").resize((width, _HEIGHT), Image.Resampling.NEAREST)


def cards_html(found: list[Card]) -> str:
    """Return the cards in two groups as HTML."""
    groups = [
        ("Specs", "", [card for card in found if not card.variants]),
        ("Ablations", ABLATIONS, [card for card in found if card.variants]),
    ]
    return "".join(
        f'<h2 id="{title.lower()}">{title}</h2>\n{text}<div class="cards">\n'
        + "\n".join(map(card_html, members))
        + "\n</div>\n"
        for title, text, members in groups
    )


def card_html(card: Card) -> str:
    """Return a card as HTML; what it links to is copied by `on_post_build`."""
    place, title = html.escape(card.place), html.escape(card.title)
    page = "" if card.page is None else f"{place}/{card.page.name}"
    pictured = card.page is not None and strip(card.page.parent) is not None
    parts = [f'<article class="card{" pictured" if pictured else ""}" id="{card.path.stem}">']
    if pictured:
        parts.append(f'<a href="{page}"><img src="{place}/strip.png" alt="{title}: {CAPTION}"></a>')
        parts.append(f'<p class="caption">{CAPTION}</p>')
    parts.append(f"<h3>{title}</h3><p>{html.escape(card.text)}</p>")
    if card.variants:
        chips = "".join(f"<li>{html.escape(each.replace('_', ' '))}</li>" for each in card.variants)
        parts.append(f'<ul class="chips">{chips}</ul>')
    parts.append(f"<pre><code>{html.escape(card.command)}</code></pre>")
    if card.note:
        parts.append(f'<p class="caption">{html.escape(card.note)}</p>')
    links = [f'<a class="main" href="{page}">Report</a>'] if page else []
    links.append(f'<a href="{place}/spec.json">{"Ablation" if card.variants else "Spec"} (JSON)</a>')
    parts.append(f'<p class="links">{"".join(links)}</p></article>')
    return "".join(parts)
