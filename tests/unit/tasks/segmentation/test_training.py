"""A whole run that trains a segmenter on drawn people, and everything that is done with it."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from process_threads import Threads

import skinfw
from skinfw import hookimpl
from skinfw.assembly.build import build
from skinfw.cli import main
from skinfw.components.reference import use
from skinfw.data.keypoints import Keypoints
from skinfw.data.photo import Photo
from skinfw.data.sample import Sample
from skinfw.data.sample_cache import SampleCache
from skinfw.data.sample_folder import PARSING_FILE
from skinfw.errors import DataError, RunError, SpecError
from skinfw.evaluation.compare import compare_runs
from skinfw.inference.generate import generate_folder
from skinfw.interfaces import Segmenter
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.folder import Run, open_run
from skinfw.runs.split_record import read_split
from skinfw.specs.segmentation_spec import SegmentationSpec
from skinfw.specs.spec import parse_spec
from skinfw.tasks.evaluate_run import evaluate_run, help_evaluation
from skinfw.tasks.segmentation.evaluate_segmentation import evaluate_network
from skinfw.tasks.segmentation.label import load_network
from skinfw.tasks.segmentation.losses import SegmentationLosses, StepSums
from skinfw.tasks.segmentation.photos import LabeledPhotos
from skinfw_plugins.datasets.mannequin import draw_person

MakeSpec = Callable[..., dict[str, Any]]
WritePhotos = Callable[..., list[Path]]


@pytest.fixture
def photos(write_labeled_photos: WritePhotos, tmp_path: Path) -> Path:
    write_labeled_photos(tmp_path / "photos", 24)
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def same_photos(write_labeled_photos: WritePhotos, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos that no test changes."""
    root = tmp_path_factory.mktemp("photos")
    write_labeled_photos(root, 24)
    return root


@pytest.fixture(scope="module")
def finished(same_photos: Path, segmentation_spec: MakeSpec, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return skinfw.run(segmentation_spec(same_photos), output=tmp_path_factory.mktemp("finished") / "run")


def same_weights(one: Run, other: Run) -> bool:
    first, second = (read_checkpoint(run.checkpoint("last")).tensors for run in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_leaves_what_every_run_leaves(finished: Run) -> None:
    record = json.loads(finished.metrics_path.read_text(encoding="utf-8"))
    values = record["test"]["values"]["trained"]
    assert record["test"]["task"] == "segmentation"
    assert {"all/miou", "person/iou", "skin/iou", "head/iou_per_image"} <= values.keys()
    best = read_checkpoint(finished.checkpoint("best"))
    evaluations = [each for each in finished.read_log() if each["event"] == "evaluation"]
    highest = max(evaluations, key=lambda each: each["values"]["all/miou"])
    assert best.about["best"]["metric"] == "all/miou"
    assert best.about["best"]["value"] == highest["values"]["all/miou"]
    assert best.progress.step == highest["step"]
    assert best.about["classes"]["names"] == ["background", "skin", "head", "feet", "apparel"]
    assert not [name for name in best.tensors if not name.startswith("network.")]
    page = finished.report_path.read_text(encoding="utf-8")
    for text in ("predicted labels", "wrong pixels", "cross entropy", "validation", "mIoU", "classes"):
        assert text in page, text
    assert "Kept pixels" not in page
    grid = np.asarray(Image.open(finished.samples_folder / "epoch_0002.png"))
    assert grid.shape[1] == 4 * 24
    assert (finished.samples_folder / "test" / "best-1-target.png").is_file()


def test_it_learns_and_is_a_segmenter_by_name_in_prepare(
    photos: Path, segmentation_spec: MakeSpec, tmp_path: Path
) -> None:
    value = segmentation_spec(photos, augmentations=[])
    value["training"] |= {"epochs": 30, "evaluate_every": 30, "sample_every": 30, "lr": 1e-2}
    run = skinfw.run(value, output=tmp_path / "run")
    losses = [each["losses"]["cross_entropy"] for each in run.read_log() if each["event"] == "step"]
    assert losses[-1] < losses[0] / 2
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))
    assert record["test"]["values"]["trained"]["person/iou"] > 0.2

    bare, samples = tmp_path / "bare", tmp_path / "samples"
    bare.mkdir()
    drawing = draw_person(0, (48, 40))
    Image.fromarray(drawing.image).save(bare / "anna_front.png")
    pose = json.dumps(Keypoints(drawing.points).to_json())
    (bare / "anna_front_keypoints.json").write_text(pose, encoding="utf-8")
    reference = json.dumps({"type": "parser", "path": str(run.folder), "device": "cpu"})
    arguments = ["prepare", str(bare), str(samples), "--segmenter", reference, "--num-workers", "1"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    labels = np.asarray(Image.open(samples / "anna_front" / PARSING_FILE))
    segmenter = build(use("segmenter", "parser", path=run.folder, device="cpu"), Segmenter)
    assert np.array_equal(labels, segmenter.segment(Photo.read(bare / "anna_front.png")).labels)


def test_an_interrupted_run_ends_in_the_same_weights(
    finished: Run, same_photos: Path, segmentation_spec: MakeSpec, tmp_path: Path
) -> None:

    class Stop:
        @hookimpl
        def step_ended(self, step: int) -> None:
            if step == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="step 2 is saved"):
        skinfw.run(segmentation_spec(same_photos), output=tmp_path / "parts", hooks=[Stop()])
    parts = skinfw.run(segmentation_spec(same_photos), output=tmp_path / "parts", resume=True)
    assert same_weights(finished, parts)
    assert [each["event"] for each in parts.read_log()] == [each["event"] for each in finished.read_log()]


def test_another_spec_is_not_resumed(finished: Run, same_photos: Path, segmentation_spec: MakeSpec) -> None:
    with pytest.raises(RunError, match=r"\$.losses.*changed"):
        skinfw.run(segmentation_spec(same_photos, losses=["dice"]), output=finished.folder, resume=True)


def test_it_is_evaluated_again_to_the_same_values(finished: Run) -> None:
    test = json.loads(finished.metrics_path.read_text(encoding="utf-8"))["test"]
    before = test["values"]
    assert test["device"] == "cpu"
    finished.metrics_path.unlink()
    done = CliRunner().invoke(main, ["evaluate", str(finished.folder), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "class" in done.output and "person" in done.output and "mIoU" in done.output
    assert json.loads(finished.metrics_path.read_text(encoding="utf-8"))["test"]["values"] == before


def test_several_processes_measure_the_same(finished: Run) -> None:
    expected = json.loads(finished.metrics_path.read_text(encoding="utf-8"))["test"]["values"]
    photos = LabeledPhotos(finished.spec.data)
    cpu = torch.device("cpu")

    def whole(one: Any) -> Any:
        if one.index == 0:
            return evaluate_run(finished, device=cpu, together=one).values
        return help_evaluation(SampleCache(0, photos), cpu, one)

    assert Threads(2).run(whole) == [expected, None]
    checkpoint = read_checkpoint(finished.checkpoint("best"))
    network, _ = load_network(checkpoint, cpu)
    training = finished.spec.training.model_copy(update={"eval_batch_size": 2})
    spec = finished.spec.model_copy(update={"training": training})

    def part(one: Any) -> Any:
        found = evaluate_network(
            network, spec, photos, photos.names()[:7], split="test", step=1, device=cpu, together=one
        )
        return found.names, found.values, found.per_image

    (alone,) = Threads(1).run(part)
    first, *others = Threads(3).run(part)
    assert first == alone and len(alone[0]) == 7
    assert others == [(alone[0], {"trained": {}}, {"trained": {}})] * 2


def test_runs_of_one_task_are_compared(
    finished: Run,
    tmp_path: Path,
    same_photos: Path,
    segmentation_spec: MakeSpec,
    make_run: Callable[..., Run],
) -> None:
    other = skinfw.run(segmentation_spec(same_photos, seed=1), output=tmp_path / "other")
    comparison = compare_runs([finished.folder, other.folder])
    assert comparison.differences()["seed"] == ["0", "1"]
    assert "kept pixels changed" not in comparison.table().columns
    painting = make_run(tmp_path / "inpainting")
    skinfw.Pipeline(painting.spec, output=painting.folder).evaluate()
    with pytest.raises(RunError, match="run has the task segmentation, but inpainting inpainting"):
        compare_runs([finished.folder, painting.folder])


def test_it_does_not_paint(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="trains a segmenter, which does not inpaint"):
        generate_folder(open_run(finished.folder), tmp_path / "samples", tmp_path / "output")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("classes", ["all", "table"])
def test_other_classes(photos: Path, segmentation_spec: MakeSpec, tmp_path: Path, classes: str) -> None:
    table = {
        "rest": {"of": ["background"], "region": "background"},
        "skin": {"of": ["skin"], "region": "skin"},
        "head": {"of": ["hair", "face"], "region": "head"},
    }
    value = segmentation_spec(photos, data={"classes": table if classes == "table" else "all"})
    value["training"] |= {"epochs": 1}
    run = skinfw.run(value, output=tmp_path / "run")
    segmenter = build(use("segmenter", "parser", path=run.folder, device="cpu"), Segmenter)
    found = segmenter.segment(Photo.read(photos / "id_00000000" / "01_1_front.png"))
    assert found.classes[:2] == (("rest", "skin") if classes == "table" else ("background", "top"))
    assert found.regions["head"] == (
        ("head",) if classes == "table" else ("hair", "face", "headwear", "eyeglass")
    )


def test_classes_that_only_the_labels_tell_are_checked_before_training(
    photos: Path, segmentation_spec: MakeSpec, tmp_path: Path
) -> None:
    data = {"classes": "all", "flip_classes": [["glov", "top"]]}
    value = segmentation_spec(
        photos, data=data, losses=[{"type": "cross_entropy", "class_weights": {"footware": 2}}]
    )
    with pytest.raises(SpecError) as caught:
        skinfw.run(value, output=tmp_path / "run")
    weights, pairs = caught.value.errors
    assert "$.losses[0]: no class is called 'footware'; did you mean 'footwear'?" in weights
    assert "$.data.flip_classes: no class is called 'glov'" in pairs


@pytest.mark.parametrize(("mebibytes", "times"), [(512, 1), (0, 2)])
def test_photos_are_decoded_once_where_there_is_a_cache(
    same_photos: Path,
    segmentation_spec: MakeSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mebibytes: int,
    times: int,
) -> None:
    loaded: Counter[str] = Counter()
    load = LabeledPhotos.load

    def count(self: LabeledPhotos, name: str) -> Sample:
        loaded[name] += 1
        return load(self, name)

    monkeypatch.setattr(LabeledPhotos, "load", count)
    monkeypatch.setenv("SKINFW_CACHE", str(tmp_path / "cache"))
    skinfw.run(segmentation_spec(same_photos, data={"sample_cache": mebibytes}), output=tmp_path / "run")
    # each of the two epochs leaves out what does not fill a batch
    assert max(loaded[name] for name in read_split(tmp_path / "run").train) == times


def test_a_photo_without_label_map_stops_the_run_or_is_left_out(
    photos: Path, segmentation_spec: MakeSpec, tmp_path: Path
) -> None:
    for number in (0, 5):
        (photos / f"id_{number:08d}" / "01_1_front_segment.png").unlink()
    with pytest.raises(DataError, match=r"label map of 01_1_front\.png is missing"):
        skinfw.run(segmentation_spec(photos), output=tmp_path / "run")
    value = segmentation_spec(photos, data={"on_corrupt": "skip"})
    assert skinfw.run(value, output=tmp_path / "other").report_path.is_file()


def test_the_loss_is_the_weighted_sum_of_the_losses_of_the_spec(segmentation_spec: MakeSpec) -> None:
    losses = [
        {"type": "cross_entropy", "weight": 2, "class_weights": {"skin": 4}},
        {"type": "dice", "weight": 3, "warmup": 10},
    ]
    spec = parse_spec(segmentation_spec(Path("photos"), losses=losses))
    assert isinstance(spec, SegmentationSpec)
    names = ("background", "skin", "head", "feet", "apparel")
    weighted_losses = SegmentationLosses(spec, names, torch.device("cpu"))
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 5, 6, 7), torch.randint(0, 5, (2, 6, 7))
    labels[0, :2] = 255
    sums = weighted_losses.sums(logits, labels)
    terms = weighted_losses.terms(sums, StepSums(sums, 1))
    known = labels != 255
    chances = torch.softmax(logits, dim=1)
    picked = chances.gather(1, labels.clamp(max=4)[:, None])[:, 0][known]
    weights = torch.tensor([1.0, 4, 1, 1, 1])[labels[known]]
    expected = (-picked.log() * weights).sum() / weights.sum()
    assert terms["cross_entropy"] == pytest.approx(expected.item(), abs=1e-5)
    dice = []
    for place in range(5):
        truth, found = (labels == place)[known].float(), chances[:, place][known]
        dice.append(1 - 2 * (truth * found).sum() / (truth + found).sum())
    assert terms["dice"] == pytest.approx(torch.stack(dice).mean().item(), abs=1e-5)
    weighted = 2 * terms["cross_entropy"].item() + 3 * 0.5 * terms["dice"].item()
    assert weighted_losses.total(terms, 5).item() == pytest.approx(weighted)
