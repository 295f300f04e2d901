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
from PIL import Image

from skinfw.assembly.assemble import build_dataset
from skinfw.evaluation.gallery import Gallery
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
        if tag not in ("meta", "img", "br", "wbr", "input"):
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
    assert {tag for tag, _ in page.tags} & {"link", "iframe", "object"} == set()
    assert not any("src" in attributes for attributes in page.all("script"))
    for image in page.all("img"):
        assert (image["src"] or "").startswith(("data:image/png;base64,", "data:image/svg+xml;base64,"))
        assert image["alt"]
    source = run.report_path.read_text(encoding="utf-8")
    assert "http://" not in source.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"<[^>]*https://", source), "addresses are texts of the license ledger alone"
    assert "url(" not in source

    for inpainter in ("trained", "opencv_inpaint", "mean_color"):
        value = found.values[inpainter]["skin/psnr"]
        assert f"{value:.2f}" in text
    for part in ("skin PSNR (dB)", "image MSE", "Kept pixels are unchanged", "generator parameters"):
        assert part in text
    examples = 6 if len(found.names) >= 6 else 3
    curves, tones = 2 + 1, 2 * 3  # of losses and validation; two metrics on skin by three groupings
    assert len(page.all("img")) == examples * (3 + 3 + 2) + curves + tones
    assert ids.index("images") < ids.index("results") < ids.index("gallery") < ids.index("training")
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
    evaluation, gallery = parts_of(run, monkeypatch)
    info = evaluation.metrics["skin/psnr"]
    tones = tuple(SkinTone(60.0 if index else -50.0, 2) for index in range(len(evaluation.names)))
    metrics = {**evaluation.metrics, "skin/psnr": replace(info, metadata={"backbone": "Some<Net"})}
    checkpoint = read_checkpoint(run.checkpoint())
    write_report(run, checkpoint, replace(evaluation, metrics=metrics, tones=tones), gallery)
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
    write_report(run, checkpoint, replace(evaluation, tones=()), gallery)
    assert "By skin tone" not in " ".join(read(run).text)


def shown(run: Run) -> Any:
    """Return what the page's script shows."""
    source = run.report_path.read_text(encoding="utf-8")
    (text,) = re.findall(r'<script type="application/json" id="gallery-data">(.*?)</script>', source)
    return json.loads(text)


def test_all_test_images_are_files_that_the_page_names_with_their_values(
    make_run: Callable[..., Any], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", metrics=["psnr", "mse", "tone_bias"])
    found = evaluate_run(run)
    data = shown(run)
    labels = ["image PSNR", "skin PSNR", "image MSE", "skin MSE", "skin tone bias"]
    assert [each["label"] for each in data["metrics"]] == labels
    directions = ["higher", "higher", "lower", "lower", "zero"]
    assert [each["direction"] for each in data["metrics"]] == directions
    assert [each["arrow"] for each in data["metrics"]] == ["↑", "↑", "↓", "↓", "→ 0"]
    assert (data["ranking"], data["inpainters"]) == (1, ["trained", "opencv_inpaint", "mean_color"])
    assert sorted(each["name"] for each in data["samples"]) == sorted(found.names)
    for sample in data["samples"]:
        place = list(found.names).index(sample["name"])
        for key, row in zip(found.per_image["trained"], sample["values"], strict=True):
            expected = [found.per_image[each][key][place] for each in data["inpainters"]]
            assert row == pytest.approx(expected, rel=1e-4)
        tone = found.tones[place]
        assert sample["ita"] == (None if tone is None else pytest.approx(tone.ita, abs=0.05))
    names = [part["name"] for part in data["parts"]]
    with Image.open(run.folder / data["samples"][0]["file"]) as strip:
        height, width = data["size"]
        assert strip.size == (width * len(names), height)
        place = names.index("output")
        output = strip.convert("RGB").crop((place * width, 0, (place + 1) * width, height))
    with Image.open(run.test_samples_folder / "best-1-output.png") as best:
        assert output.tobytes() == best.tobytes()
    example = next(attributes for tag, attributes in Page(
        run.report_path.read_text(encoding="utf-8")
    ).tags if tag == "article" and attributes.get("class") == "example")  # fmt: skip
    assert example["data-place"] == "0"


def test_the_report_moves_with_its_folder(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluate_run(run)
    (tmp_path / "run").rename(tmp_path / "moved")
    files = [sample["file"] for sample in shown(Run(tmp_path / "moved", run.spec))["samples"]]
    assert files and all((tmp_path / "moved" / file).is_file() for file in files)


def test_numbers_of_one_are_singular(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, gallery = parts_of(run, monkeypatch)
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
    kept = replace(
        gallery,
        examples=[each for each in gallery.examples if each.name == one.names[0]],
        files={one.names[0]: gallery.files[one.names[0]]},
    )
    write_report(run, read_checkpoint(run.checkpoint()), one, kept)
    text = " ".join(" ".join(read(run).text).split())
    assert "1 test image" in text and "1 pixel outside the mask changed" in text
    assert "32x32 pixels (height x width)" in text
    assert re.findall(r"(?<![\d.,])1 (?:test )?(?:image|pixel|epoch|step|sample)s\b", text) == []


def test_best_values_alone_are_marked(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    evaluate_run(run)
    values = run.report_path.read_text(encoding="utf-8").partition('<section id="results">')[2]
    assert values.partition("</section>")[0].count('<td class="best">') == 2  # image and skin PSNR


def parts_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[Evaluation, Gallery]:
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
    evaluation, gallery = parts_of(run, monkeypatch)
    scripts = len(read_after(run, evaluation, gallery).all("script"))
    name = '</script><script>alert("x")</script>'
    old = gallery.examples[0].name
    evaluation = replace(evaluation, names=[name if each == old else each for each in evaluation.names])
    gallery = replace(
        gallery,
        examples=[replace(gallery.examples[0], name=name), *gallery.examples[1:]],
        files={name if each == old else each: file for each, file in gallery.files.items()},
    )
    page = read_after(run, evaluation, gallery)
    assert len(page.all("script")) == scripts
    assert name in "".join(page.text)
    assert any(name in (image["alt"] or "") for image in page.all("img"))
    assert name in [sample["name"] for sample in shown(run)["samples"]]


def read_after(run: Run, evaluation: Evaluation, gallery: Gallery) -> Page:
    write_report(run, read_checkpoint(run.checkpoint()), evaluation, gallery)
    return read(run)


def test_images_without_a_ranking_are_not_called_best(make_run: Callable[..., Any], tmp_path: Path) -> None:
    words = {}
    for metrics in (["psnr"], []):
        run = make_run(tmp_path / str(len(metrics)), metrics=metrics, baselines=[])
        evaluate_run(run)
        section = run.report_path.read_text(encoding="utf-8").partition('<section id="images">')[2]
        section = section.partition("</section>")[0]
        words[len(metrics)] = [*dict.fromkeys(re.findall(r'<span class="rank">(\w+)</span>', section))]
        assert ("Best, median and worst images" in section) == bool(metrics)
        assert ("No metric ranks them." in section) == (not metrics)
    assert words == {1: ["best", "median", "worst"], 0: ["first", "middle", "last"]}


def test_errors_and_missing_values_are_told(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, gallery = parts_of(run, monkeypatch)
    worse = replace(
        evaluation,
        values={"trained": {"image/psnr": None, "skin/psnr": None}},
        violations={"trained": 3},
        unavailable={"mean_color": "nobody knows the face"},
    )
    run.log_path.unlink()
    write_report(run, read_checkpoint(run.checkpoint()), worse, gallery)
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


def test_computed_masks_are_named_where_values_depend_on_them(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    evaluation, gallery = parts_of(run, monkeypatch)
    assert evaluation.computed_masks == {}
    note = "were computed (by skin_color), not drawn by a person"
    assert note not in "".join(read_after(run, evaluation, gallery).text)
    computed = replace(evaluation, computed_masks={"skin_color": len(evaluation.names)})
    assert Evaluation.from_json(json.loads(json.dumps(computed.to_json()))).computed_masks == {
        "skin_color": len(evaluation.names)
    }
    assert "".join(read_after(run, computed, gallery).text).count(note) == 2  # results and skin tones


def test_an_evaluation_counts_the_masks_that_were_computed(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    found = evaluate_run(run)
    first = found.names[0]
    data = type(build_dataset(run.spec))
    monkeypatch.setattr(data, "mask_source", lambda _, name: "skin_color" if name == first else "")
    assert evaluate_run(run).computed_masks == {"skin_color": 1}
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))
    assert record["test"]["computed_masks"] == {"skin_color": 1}
