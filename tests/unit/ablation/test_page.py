"""The page of an ablation, with images of networks that were never trained."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from skinfw.ablation.ablate import report_plan
from skinfw.ablation.example_rows import inpaint_rows
from skinfw.ablation.plan import Plan, make_plan
from skinfw.ablation.results import AblationResult, collect
from skinfw.inference.generate import generate_folder
from skinfw.tasks.evaluate_run import evaluate_run


class Outline(HTMLParser):
    """Collects what a page refers to, and checks that every element is closed."""

    VOID = ("meta", "img", "br", "wbr", "link")

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def variants() -> dict[str, dict[str, Any]]:
    return {
        "with_mask": {},
        "tone": {"data": {"inputs": ["apparel_head_foot", "segmentation_skin"]}},
        "gone": {"composite": "protect"},
    }


@pytest.fixture(scope="module")
def plan(
    tiny_spec: Callable[..., Any],
    make_run: Callable[..., Any],
    variants: dict[str, dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Plan:
    """Two variants that are measured, and one without a run."""
    base = tiny_spec(baselines=["opencv_inpaint"])
    base["data"]["test_fraction"] = 0.5  # six images or more are compared image by image
    value = {
        "name": "page",
        "title": "Mask & <pose>",
        "question": "Is the pose needed?",
        "base": base,
        "variants": variants,
        "published": "mask",
    }
    plan = make_plan(value, output=tmp_path_factory.mktemp("ablation") / "out")
    for run in plan.runs[:2]:
        fields = run.spec.to_json()
        evaluate_run(make_run(run.folder, **fields))
    return plan


@pytest.fixture(scope="module")
def result(plan: Plan) -> AblationResult:
    return report_plan(plan)


def test_every_figure_has_its_card(result: AblationResult) -> None:
    page = result.page_path.read_text(encoding="utf-8")
    table = (result.output / "table.md").read_text(encoding="utf-8")
    for text in (page, table):
        assert "How each value was measured" in text
        assert "Measured with skinfw" in text
        assert "mean of " in text
    metrics = json.loads((result.output / "ablation.json").read_text(encoding="utf-8"))["metrics"]
    assert all(set(metric) == {"unit", "direction", "metadata", "parameters"} for metric in metrics.values())


def test_everything_is_written(result: AblationResult) -> None:
    assert {path.name for path in result.output.iterdir() if path.is_file()} == {
        *("table.csv", "table.md", "table.tex", "ablation.json", "ablation.html"),
        *("means.svg", "differences.svg"),
    }
    assert json.loads((result.output / "ablation.json").read_text(encoding="utf-8"))["baselines"]
    for name in ("means.svg", "differences.svg"):
        assert "<svg" in (result.output / name).read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_holds_all(result: AblationResult) -> None:
    page = result.page_path.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    links = [address for address in outline.addresses if not address.startswith("data:")]
    assert links == ["with_mask/seed_0/report.html", "tone/seed_0/report.html"]
    assert all((result.output / link).is_file() for link in links)
    assert not re.search(r"@import|url\((?!data:)|<script", page)
    for part in (
        "<h1>Mask &amp; &lt;pose&gt;</h1>",
        "Is the pose needed?",
        "prefers-color-scheme: dark",
        "Measured on DeepFashion by the report",
        "inpaint (baseline)",
        "nothing to train",
        'id="differences"',
        "data.inputs",
        "<strong>gone</strong>: no run is done",
    ):
        assert part in page, part


def test_what_may_be_wide_scrolls_in_its_own_box(result: AblationResult) -> None:
    page = result.page_path.read_text(encoding="utf-8")
    box = '<div class="scroll" tabindex="0">'
    for wide in ('<table class="values', '<img class="plot"'):
        assert page.count(wide) >= 2
        assert len(re.findall(rf"{box}\s*{wide}", page)) == page.count(wide)


def test_rows_are_the_same_images_and_columns_who_painted(result: AblationResult) -> None:
    page = result.page_path.read_text(encoding="utf-8")
    gallery = page[page.index('<section id="images">') : page.index('<section id="specs">')]
    rows = gallery.split('<article class="example">')[1:]
    captions = [
        re.findall(r"<figcaption>([^<]+)<span>([^<]+)</span>(?:<span>([^<]+)</span>)?", row) for row in rows
    ]
    heads = [(name.replace("\u200b", ""), kind) for name, kind, _ in captions[0]]
    assert all([kind for _, kind, _ in each] == [kind for _, kind in heads] for each in captions)
    for _, kind, value in itertools.chain(*captions):
        assert bool(re.fullmatch(r"skin PSNR \d+\.\d\d\u00a0dB", value)) == (kind == "variant")
    assert heads == [
        ("apparel_head_foot", "input"),
        ("line", "input"),
        ("segmentation_skin", "input"),
        ("target", "ground truth"),
        ("with_mask", "variant"),
        ("tone", "variant"),
        ("opencv_inpaint", "baseline"),
    ]
    names = re.findall(r'<span class="rank">(\w+)</span><span class="note">(mannequin-\d+)</span>', gallery)
    assert len({name for _, name in names}) == len(names) >= 3
    assert {rank for rank, _ in names} == {"best", "median", "worst"}
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', gallery)
    assert len(images) == len(names) * len(heads)
    assert Image.open(io.BytesIO(base64.b64decode(images[0]))).size == (32, 32)


def test_the_images_are_those_that_generate_paints(
    result: AblationResult, write_samples: Callable[..., list[Path]], tmp_path: Path
) -> None:
    rows = inpaint_rows(result)
    assert rows.metric == "skin/psnr"
    row = rows.rows[0]
    assert np.array_equal(row.inputs["line"].shape, (32, 32, 3))
    outside = row.inputs["segmentation_skin"][..., 0] < 128
    for image in row.outputs.values():
        assert np.array_equal(image[outside], row.inputs["apparel_head_foot"][outside])
    assert not np.array_equal(row.outputs["with_mask"], row.outputs["tone"])
    # the same person as a sample folder, painted by the command's own path
    write_samples(tmp_path / "people", [f"mannequin-{index:06d}" for index in range(20)])
    from skinfw.runs.folder import open_run

    run = open_run(result.output / "with_mask" / "seed_0")
    (painted,) = generate_folder(run, tmp_path / "people" / row.name, tmp_path / "painted")
    assert np.array_equal(np.asarray(Image.open(painted).convert("RGB")), row.outputs["with_mask"])


def test_the_inputs_are_covered_as_for_the_networks(
    tiny_spec: Callable[..., Any], make_run: Callable[..., Any], tmp_path: Path
) -> None:
    base = tiny_spec(composite="mask", baselines=[])
    base["data"]["garment_margin"] = [0.1, 0.2]
    plan = make_plan({"name": "covered", "base": base, "variants": {"only": {}}}, output=tmp_path)
    evaluate_run(make_run(plan.runs[0].folder, **plan.runs[0].spec.to_json()))
    for row in inpaint_rows(collect(plan)).rows:
        seen, skin = row.inputs["apparel_head_foot"], row.inputs["segmentation_skin"][..., 0] > 127
        # what a network paints into the margin around the skin is white in what it saw
        changed = (row.outputs["only"] != seen).any(axis=2)
        assert (changed & ~skin).any() and (seen[changed] == 255).all()


def test_a_lost_checkpoint_leaves_its_variant_without_images(plan: Plan) -> None:
    checkpoint = plan.runs[1].folder / "checkpoints" / "best.safetensors"
    aside = checkpoint.rename(checkpoint.with_suffix(".aside"))
    rows = inpaint_rows(collect(plan))
    aside.rename(checkpoint)
    assert set(rows.rows[0].outputs) == {"with_mask"}
    assert set(rows.missing) == {"tone", "gone"}
    assert "no such checkpoint" in rows.missing["tone"]


def test_a_page_without_a_run_says_so(
    tiny_spec: Callable[..., Any], variants: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    value = {"name": "page", "base": tiny_spec(), "variants": variants}
    plan = make_plan(value, output=tmp_path)
    (tmp_path / "means.svg").write_text("of an earlier state", encoding="utf-8")
    page = report_plan(plan).page_path.read_text(encoding="utf-8")
    assert "No run has been measured yet." in page
    assert 'id="images"' not in page
    assert not (tmp_path / "means.svg").exists()
