from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from skinfw.assembly.assemble import build_baselines, build_dataset, build_generator
from skinfw.components.config import GeneratorConfig, Size
from skinfw.errors import DataError, RunError, UserError
from skinfw.evaluation.evaluate_generator import evaluate_generator
from skinfw.evaluation.results import Evaluation
from skinfw.inference import batch_inpainter as painting
from skinfw.inference import paint
from skinfw.interfaces import Generator, GeneratorIO
from skinfw.runs import checkpoints
from skinfw.runs.trained import open_trained
from skinfw.specs.spec import Spec, parse_spec
from skinfw.tasks.evaluate_run import evaluate_run
from skinfw.testing import example_generator_io

CPU = torch.device("cpu")


class Gray(Generator[GeneratorConfig]):
    """Paints one gray that no 8-bit image holds."""

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        assert target is None, "what is measured must not see it"
        return torch.full_like(condition[:, :3], 100.4 / 255)


class Heavy(Gray):
    """Takes 200 MiB for a moment."""

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        taken = torch.ones(50 * 2**20)
        return super().forward(condition) * taken[-1]


class Noisy(Generator[GeneratorConfig]):
    """Paints its noise."""

    def noise_shape(self, size: Size) -> tuple[int, ...]:
        return (3, 32, 32)

    def forward(self, condition: Tensor, noise: Tensor | None = None, target: Tensor | None = None) -> Tensor:
        assert noise is not None
        return noise.sigmoid()


def io(spec: Spec) -> GeneratorIO:
    return example_generator_io(spec.data.size, spec.data.input_names)


def evaluate(spec: Spec, generator: Generator[Any], count: int = 5, **more: Any) -> Evaluation:
    data = build_dataset(spec)
    names = data.names()[:count]
    return evaluate_generator(generator, spec, data, names, split="test", step=7, device=CPU, **more)


def test_values_are_those_of_the_written_image(tiny_spec: Callable[..., Any]) -> None:
    spec = parse_spec(tiny_spec(metrics=["psnr"]))
    found = evaluate(spec, Gray(GeneratorConfig(), io(spec)))
    data = build_dataset(spec)
    expected = []
    for name in found.names:
        sample = data.load(name)
        written = np.where(sample["segmentation_skin"][..., None], 100, sample["apparel_head_foot"])
        expected.append(peak_signal_noise_ratio(sample["body"], written.astype(np.uint8)))
    assert found.per_image["trained"]["image/psnr"] == pytest.approx(expected, rel=1e-5)
    assert found.values["trained"]["image/psnr"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert found.violations == {"trained": 0}
    assert (found.step, len(found.names)) == (7, 5)
    assert found.metrics["skin/psnr"].unit == "dB"


def test_the_batch_size_changes_nothing(tiny_spec: Callable[..., Any]) -> None:
    value = tiny_spec()
    results = []
    for size in (1, 4):
        value["training"]["eval_batch_size"] = size
        spec = parse_spec(value)
        results.append(evaluate(spec, Noisy(GeneratorConfig(), io(spec))))
    assert results[0].per_image == results[1].per_image


def test_the_callers_random_numbers_and_mode_are_left_alone(tiny_spec: Callable[..., Any]) -> None:
    spec = parse_spec(tiny_spec())
    generator = build_generator(spec).train()
    before = torch.random.get_rng_state()
    evaluate(spec, generator)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert generator.training


def test_baselines_are_measured_on_the_same_images(tiny_spec: Callable[..., Any]) -> None:
    spec = parse_spec(tiny_spec())
    told: list[tuple[int, int]] = []
    found = evaluate(
        spec,
        build_generator(spec),
        baselines=build_baselines(spec),
        progress=lambda done, total: told.append((done, total)),
    )
    assert set(found.values) == {"trained", "opencv_inpaint", "mean_color"}
    assert found.violations == {"trained": 0, "opencv_inpaint": 0, "mean_color": 0}
    assert all(len(values["skin/psnr"]) == 5 for values in found.per_image.values())
    assert all(seconds > 0 for seconds in found.seconds_per_image.values())
    assert told[-1] == (15, 15)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_memory_of_each_generator_is_its_own(tiny_spec: Callable[..., Any]) -> None:
    """One that takes 200 MiB, then one that takes little, then one whose weights have 100 MiB.

    The rest of the process frees and takes some MiB meanwhile.
    """
    spec = parse_spec(tiny_spec())
    heavy = Heavy(GeneratorConfig(), io(spec))
    weighty = Gray(GeneratorConfig(), io(spec))
    weighty.register_buffer("weights", torch.ones(25 * 2**20))
    light = Gray(GeneratorConfig(), io(spec))
    found = evaluate(spec, heavy, count=2, baselines={"light": light, "again": heavy, "weighty": weighty})
    taken = {name: (value or 0) / 2**20 for name, value in found.peak_memory.items()}
    assert 180 < taken["trained"] < 260 and 180 < taken["again"] < 260
    assert taken["light"] < 60 and 100 <= taken["weighty"] < 160


@pytest.mark.parametrize(("batch_size", "expected"), [(8, 2 / 6), (4, 2 / 2), (2, (2 + 3) / 4)])
def test_the_pass_in_which_memory_is_measured_is_not_timed(
    batch_size: int, expected: float, tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passes over six images take 1, 2, 3... seconds."""
    passes, clock = [0], [0.0]

    class Slower(Gray):
        def forward(self, *inputs: Tensor | None, **more: Tensor | None) -> Tensor:
            passes[0] += 1
            clock[0] += passes[0]
            return super().forward(*inputs, **more)

    monkeypatch.setattr(paint, "_now", lambda device: clock[0])
    value = tiny_spec()
    value["training"]["eval_batch_size"] = batch_size
    spec = parse_spec(value)
    found = evaluate(spec, Slower(GeneratorConfig(), io(spec)), count=6)
    assert found.peak_memory["trained"] is not None
    assert found.seconds_per_image["trained"] == pytest.approx(expected)


def test_memory_is_not_measured_for_validation(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = parse_spec(tiny_spec())
    data = build_dataset(spec)
    monkeypatch.delattr(paint.PeakMemory, "__enter__")
    found = evaluate_generator(
        Gray(GeneratorConfig(), io(spec)), spec, data, data.names()[:2],
        split="validation", step=0, device=CPU, baselines={"again": Gray(GeneratorConfig(), io(spec))},
    )  # fmt: skip
    assert found.peak_memory == {"trained": None, "again": None}


@pytest.mark.parametrize(
    "missing", [{"type": "command", "program": "none"}, {"type": "onnx", "path": "none.onnx"}]
)
def test_a_required_baseline_whose_file_is_missing_is_an_error_before_the_work(
    missing: dict[str, str], tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    spec = parse_spec(tiny_spec(baselines=[missing]), folder=tmp_path)
    done: list[int] = []
    with pytest.raises(UserError, match=r"none.*: no such"):
        evaluate(
            spec, Gray(GeneratorConfig(), io(spec)), baselines=build_baselines(spec),
            required=[missing["type"]], progress=lambda count, _: done.append(count),
        )  # fmt: skip
    assert not done


def test_two_baselines_of_one_type_keep_their_own_values(tiny_spec: Callable[..., Any]) -> None:
    methods = [{"type": "opencv_inpaint", "method": method} for method in ("telea", "navier_stokes")]
    spec = parse_spec(tiny_spec(baselines=methods))
    baselines = build_baselines(spec)
    assert [each.config.method for each in baselines.values()] == ["telea", "navier_stokes"]
    found = evaluate(spec, Gray(GeneratorConfig(), io(spec)), count=2, baselines=baselines)
    assert list(found.values) == ["trained", "opencv_inpaint", "opencv_inpaint_2"]
    assert found.values["opencv_inpaint"] != found.values["opencv_inpaint_2"]


def folder_spec(make: Callable[..., Any], root: Path, **data: Any) -> Spec:
    value = make()
    dataset = {"type": "folder", "root": str(root)}
    return parse_spec({**value, "data": {**value["data"], "dataset": dataset, **data}})


def test_a_baseline_that_cannot_paint_these_data_is_told(
    tiny_spec: Callable[..., Any],
    write_samples: Callable[..., Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_samples(tmp_path, ["a", "b"])  # the face cannot be located
    spec = folder_spec(tiny_spec, tmp_path)
    data = build_dataset(spec)
    with caplog.at_level(logging.WARNING, "skinfw"):
        found = evaluate_generator(
            build_generator(spec), spec, data, ["a", "b"],
            split="test", step=0, device=CPU, baselines=build_baselines(spec),
        )  # fmt: skip
    assert set(found.values) == {"trained", "opencv_inpaint"}
    assert "the face cannot be located" in found.unavailable["mean_color"]
    assert any("baseline mean_color is skipped" in message for message in caplog.messages)


def test_a_region_that_samples_do_not_have_has_no_value(
    tiny_spec: Callable[..., Any], write_samples: Callable[..., Any], tmp_path: Path
) -> None:
    write_samples(tmp_path, ["a", "b"])  # the face cannot be located
    metrics = [{"type": "mse", "regions": ["face", "mask"]}]
    spec = folder_spec(partial(tiny_spec, metrics=metrics), tmp_path)
    found = evaluate(spec, Gray(GeneratorConfig(), io(spec)))
    assert found.per_image["trained"]["face/mse"] == [None, None]
    assert "is there any face" in found.unavailable["trained/face/mse"]
    expected = []
    for sample in map(build_dataset(spec).load, found.names):
        written = np.where(sample["segmentation_skin"][..., None], 100, sample["apparel_head_foot"])
        errors = (written.astype(float) - sample["body"])[sample["mask"]] / 255
        expected.append(np.square(errors).mean())
    assert found.per_image["trained"]["mask/mse"] == pytest.approx(expected, rel=1e-5)


def test_corrupt_samples_are_skipped_or_stop_it_as_the_spec_says(
    tiny_spec: Callable[..., Any], write_samples: Callable[..., Any], tmp_path: Path
) -> None:
    folders = write_samples(tmp_path, ["a", "b", "c"])
    (folders[1] / "body.png").write_bytes(b"no image")
    spec = folder_spec(tiny_spec, tmp_path, on_corrupt="skip")
    found = evaluate(spec, Gray(GeneratorConfig(), io(spec)))
    assert list(found.names) == ["a", "c"]
    strict = folder_spec(tiny_spec, tmp_path)
    with pytest.raises(DataError, match=r"body\.png"):
        evaluate(strict, Gray(GeneratorConfig(), io(strict)))
    for folder in folders:
        (folder / "body.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="none of the 3 samples"):
        evaluate(spec, Gray(GeneratorConfig(), io(spec)))


def test_changed_kept_pixels_are_counted(
    tiny_spec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def careless(output: Tensor, base: Tensor, painted: Tensor) -> Tensor:
        mixed = torch.where(painted > 0.5, output, base)
        mixed[:, :, 0, :3] = 1 - mixed[:, :, 0, :3]  # the corner shows nothing of the person
        return mixed

    monkeypatch.setattr(painting, "composite", careless)
    spec = parse_spec(tiny_spec())
    found = evaluate(spec, Gray(GeneratorConfig(), io(spec)), count=4)
    assert found.violations == {"trained": 12}
    assert any("12 pixels outside the mask" in message for message in caplog.messages)


def test_tones_are_those_of_the_true_images_and_only_of_a_test(tiny_spec: Callable[..., Any]) -> None:
    spec = parse_spec(tiny_spec())
    generator, data = Gray(GeneratorConfig(), io(spec)), build_dataset(spec)
    found = evaluate(spec, generator, baselines=build_baselines(spec))
    samples = [data.load(name) for name in found.names]
    assert all(sample["segmentation_skin"].any() for sample in samples)
    for sample, tone in zip(samples, found.tones, strict=True):
        assert tone is not None
        lab = np.median(rgb2lab(sample["body"][sample["segmentation_skin"]][:, None])[:, 0], axis=0)
        assert tone.ita == pytest.approx(np.degrees(np.arctan2(lab[0] - 50, lab[2])), abs=0.05)
    names = data.names()[:2]
    validated = evaluate_generator(generator, spec, data, names, split="validation", step=1, device=CPU)
    assert validated.tones == ()


def test_a_run_is_measured_from_its_checkpoint_alone(make_run: Callable[..., Any], tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    found = evaluate_run(run)
    record = json.loads(run.metrics_path.read_text(encoding="utf-8"))
    assert record["checkpoint"]["which"] == "best" and record["checkpoint"]["step"] == 3
    assert record["checkpoint"]["sha256"] == hashlib.sha256(run.checkpoint("best").read_bytes()).hexdigest()
    assert record["training"] == {
        "step": 3, "total_steps": None,
        "epochs": run.spec.training.epochs, "steps": run.spec.training.steps,
    }  # fmt: skip
    assert record["test"]["metrics"]["skin/psnr"]["parameters"] == {"type": "psnr"}
    assert Evaluation.from_json(record["test"]) == found
    assert found.step == 3
    assert record["versions"]["lpips"] == metadata.version("lpips")
    assert set(record["skin_tones"]["ita"]["skin/psnr"]) == {"trained", "opencv_inpaint", "mean_color"}
    assert run.report_path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    parts = {path.name for path in (run.samples_folder / "test").iterdir()}
    assert {
        "best-1-output.png",
        "median-1-target.png",
        "worst-1-error.png",
        "worst-1-mean_color.png",
    } <= parts


def test_measuring_twice_gives_the_same_files_but_for_times(
    make_run: Callable[..., Any], tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run")
    records = []
    for _ in range(2):
        evaluate_run(run, which="last")
        record = json.loads(run.metrics_path.read_text(encoding="utf-8"))
        record["test"].pop("seconds_per_image")
        assert all(taken > 0 for taken in record["test"].pop("peak_memory").values())
        records.append(record)
    assert records[0] == records[1]


def test_changed_data_are_warned_of(
    make_run: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run = make_run(tmp_path / "run", baselines=[])
    evaluate_run(run)
    assert not any("changed since" in message for message in caplog.messages)
    monkeypatch.setattr(type(build_dataset(run.spec)), "fingerprint", lambda self: "other")
    evaluate_run(run)
    assert any("the data changed since" in message for message in caplog.messages)


def test_a_missing_plugin_is_named(
    make_run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "providers", lambda spec: {"generator/ghost": "spooky-nets 1.2"})
        run = make_run(tmp_path / "run")
    path = run.folder / "spec.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**value, "generator": {"type": "ghost"}}), encoding="utf-8")
    with pytest.raises(RunError, match=r"generator ghost of spooky-nets 1\.2, which is not installed"):
        open_trained(run.folder, "best")
    with pytest.raises(RunError, match=r"spooky-nets 1\.2"):
        evaluate_run(run)
