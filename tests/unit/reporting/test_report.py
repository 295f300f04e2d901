from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from skinfw.evaluation.examples import Example
from skinfw.evaluation.results import Evaluation, SkinTone
from skinfw.reporting.report import write_report
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run
from skinfw.tasks.evaluate_run import evaluate_run

pytestmark = pytest.mark.usefixtures("curves")


class Page(HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.tags if found == tag]


def read(run: Run) -> Page:
    return Page(run.report_path.read_text(encoding="utf-8"))


def test_the_report_holds_what_was_measured_and_needs_nothing_else(
    make_run: Callable[..., Any], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", metrics=["psnr", "mse"])
    found = evaluate_run(run)
    page = read(run)
    text = " ".join(" ".join(page.text).split())
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert "results" in ids and len(set(ids)) == len(ids)
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"} == set()
    for image in page.all("img"):
        assert (image["src"] or "").startswith(("data:image/png;base64,", "data:image/svg+xml;base64,"))
        assert image["alt"]
    source = run.report_path.read_text(encoding="utf-8")
    assert "http://" not in source.replace("http://www.w3.org", "")
    assert "https://" not in source
    assert "url(" not in source

    for inpainter in ("trained", "opencv_inpaint", "mean_color"):
        value = found.values[inpainter]["skin/psnr"]
        assert f"{value:.2f}" in text
    for part in ("skin PSNR (dB)", "image MSE", "Kept pixels are unchanged", "generator parameters"):
        assert part in text
    examples = 6 if len(found.names) >= 6 else 3
    assert len(page.all("img")) == examples * (3 + 3 + 2) + 2 + 1  # images, loss curves, validation curve
    spec = next(part for part in page.text if '"composite": "skin"' in part)
    assert json.loads(spec) == run.spec.to_json()


def test_metrics_and_baselines_of_one_type_each_have_their_place(
    make_run: Callable[..., Any], tmp_path: Path
) -> None:
    metrics = ["mse", {"type": "mse", "regions": ["image"]}]
    run = make_run(tmp_path / "run", metrics=metrics, baselines=["mean_color", "mean_color"])
    assert list(evaluate_run(run).values) == ["trained", "mean_color", "mean_color_2"]
    text = " ".join(" ".join(read(run).text).split())
    assert "image MSE 2" in text
    assert {"best-1-mean_color.png", "best-1-mean_color_2.png"} <= {
        path.name for path in (run.samples_folder / "test").iterdir()
    }


def test_cards_versions_and_skin_tones_are_told(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, _ = parts_of(run, monkeypatch)
    info = evaluation.metrics["skin/psnr"]
    tones = tuple(SkinTone(60.0 if index else -50.0, 2) for index in range(len(evaluation.names)))
    metrics = {**evaluation.metrics, "skin/psnr": replace(info, metadata={"backbone": "Some<Net"})}
    write_report(
        run, read_checkpoint(run.checkpoint()), replace(evaluation, metrics=metrics, tones=tones), []
    )
    text = " ".join(" ".join(read(run).text).split())
    assert "backbone skin: Some<Net" in text
    assert f"Measured with skinfw {metadata.version('skinfw')}, torch" in text
    for part in (
        "very light, trained",
        "very light, opencv_inpaint",
        "dark, mean_color 1 (few)",
        "Monk 2, trained",
        "The Monk Skin Tone scale has ten tones",
        "Monk 10",
    ):
        assert part in text
    write_report(run, read_checkpoint(run.checkpoint()), replace(evaluation, tones=()), [])
    assert "By skin tone" not in " ".join(read(run).text)


def test_numbers_of_one_are_singular(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, _ = parts_of(run, monkeypatch)
    one = replace(
        evaluation,
        names=evaluation.names[:1],
        tones=evaluation.tones[:1],
        per_image={
            name: {key: values[:1] for key, values in figures.items()}
            for name, figures in evaluation.per_image.items()
        },
        violations={name: int(name == "trained") for name in evaluation.violations},
    )
    write_report(run, read_checkpoint(run.checkpoint()), one, [])
    text = " ".join(" ".join(read(run).text).split())
    assert "1 test image" in text and "1 pixel outside the mask changed" in text
    assert "32x32 pixels (height x width)" in text
    assert re.findall(r"(?<![\d.,])1 (?:test )?(?:image|pixel|epoch|step|sample)s\b", text) == []


def test_best_values_alone_are_marked(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluate_run(run)
    values = run.report_path.read_text(encoding="utf-8").partition('<section id="results">')[2]
    assert values.partition("</section>")[0].count('<td class="best">') == 2  # image and skin PSNR


def parts_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[Evaluation, list[Example]]:
    """Return what a report of the run is made of."""
    seen: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(
            "skinfw.tasks.inpainting.evaluate_inpainting.write_report", lambda *parts, **_: seen.extend(parts)
        )
        evaluate_run(run)
    return seen[2], seen[3]


def test_names_are_escaped(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, examples = parts_of(run, monkeypatch)
    name = '<script>alert("x")</script>'
    examples = [replace(example, name=name) for example in examples]
    write_report(run, read_checkpoint(run.checkpoint()), evaluation, examples)
    page = read(run)
    assert page.all("script") == []
    assert name in "".join(page.text)
    assert any(name in (image["alt"] or "") for image in page.all("img"))


def test_errors_and_missing_values_are_told(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, _ = parts_of(run, monkeypatch)
    worse = replace(
        evaluation,
        values={"trained": {"image/psnr": None, "skin/psnr": None}},
        violations={"trained": 3},
        unavailable={"mean_color": "nobody knows the face"},
    )
    run.log_path.unlink()
    write_report(run, read_checkpoint(run.checkpoint()), worse, [])
    text = " ".join(" ".join(read(run).text).split())
    assert "3 pixels outside the mask changed" in text
    assert "Kept pixels are unchanged" not in text
    assert "mean_color : nobody knows the face" in text
    assert "no metric has a value" in text
    assert "n/a" in text
    assert "The log has no curves" in text


def test_what_augmentations_do_is_shown(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", augmentations=["flip", "hue", "flip"], baselines=[])
    evaluate_run(run)
    page = read(run)
    text = " ".join(" ".join(page.text).split())
    assert page.open == []
    assert "two draws of flip, hue, flip_2 with the run's seed" in text
    assert "From left to right: apparel_head_foot, body, keep, mask, line, segmentation_skin." in text
    stages = [image["alt"] or "" for image in page.all("img") if "draw: " in (image["alt"] or "")]
    assert len(stages) == 6 * 2
    assert all(image["src"] for image in page.all("img"))
    assert text.count("original") == 6
    bare = make_run(tmp_path / "bare")
    evaluate_run(bare)
    assert "<h2>Augmentations</h2>" not in bare.report_path.read_text(encoding="utf-8")
