"""Tiny jobs that the tests share."""

from __future__ import annotations

import gc
import hashlib
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SpecValue = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes that tests start receive signals, even where ``nohup`` or ``&`` had them ignored.

    Collect no garbage until the tests begin.
    """
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
    gc.disable()  # what the tests import stays: to look through it again and again takes long
    config.add_cleanup(gc.unfreeze)  # at the very end libraries clear up as they always do


def pytest_collection_finish() -> None:
    """Collect garbage again, but never look through what was imported."""
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Have one process more than cores: tests often wait for processes that they start."""
    from skinfw.system.processes import cores

    return cores() + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the tests of the exporter to one process: the first export in a process takes 10 s longer."""
    from xdist.scheduler import LoadFileScheduling

    class OneExporter(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder, _, _ = nodeid.partition("/test_")
            return folder if folder == "tests/unit/export" else super()._split_scope(nodeid)

    return OneExporter(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process works alone at the end."""
    longest = {
        "ablation",
        "cli",
        "contract",
        "examples",
        "preparation",
        "segmentation",
        "test_ray_cluster",
        "training",
    }
    items.sort(key=lambda item: longest.isdisjoint((item.path.parent.name, item.path.stem)))


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Catch what skinfw logs and nothing else: threads of other libraries log whenever they like."""
    own = logging.Filter("skinfw")
    caplog.handler.addFilter(own)
    yield caplog
    caplog.handler.removeFilter(own)


@pytest.fixture(scope="session")
def people_drawn_once() -> Iterator[None]:
    """Keep the drawn people of a session: runs of the same few people would draw them in every epoch."""
    from skinfw_plugins.datasets import mannequins

    drawn = cache(mannequins.draw_person)

    def draw(seed: int, size: tuple[int, int]) -> Any:
        person = drawn(seed, size)
        return replace(person, **{name: array.copy() for name, array in vars(person).items()})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mannequins, "draw_person", draw)
        yield


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the key that runs are signed with, and what they cache, out of the user's home.

    Let output be as wide as in a pipe.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("SKINFW_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("COLUMNS", raising=False)  # readline, which pytest may import, sets it
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_curves() -> Iterator[None]:
    """Leave the curves of reports away: drawing them takes longer than most runs of a test."""
    from skinfw.reporting import report, tone_plots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "draw", lambda _: "data:image/svg+xml,")
        patch.setattr(tone_plots, "draw_marks", lambda _: "data:image/svg+xml,")
        yield


@pytest.fixture
def curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the curves of reports, for tests that look at them."""
    from skinfw.reporting import plots, report, tone_plots

    monkeypatch.setattr(report, "draw", plots.draw)
    monkeypatch.setattr(tone_plots, "draw_marks", plots.draw_marks)


@pytest.fixture(scope="session")
def tiny_spec(people_drawn_once: None) -> Callable[..., SpecValue]:
    """Make the JSON value of a spec that trains in about a second; keywords replace whole fields."""

    def make(**fields: Any) -> SpecValue:
        return {
            "name": "tiny",
            "data": {
                "dataset": {"type": "mannequins", "count": 20},
                "size": [32, 32],
                "test_fraction": 0.2,
                "validation_fraction": 0.2,
            },
            "generator": {"type": "pix2pix", "base_channels": 4, "dropout": 0.3},
            "discriminator": {"type": "patchgan", "patch": 16, "base_channels": 4},
            "losses": [{"type": "l1", "weight": 100}, "gan"],
            "composite": "skin",
            "metrics": ["psnr"],
            "training": {"epochs": 2, "batch_size": 4, "device": "cpu", "threads": 1},
            **fields,
        }

    return make


@pytest.fixture(scope="session")
def make_run(tiny_spec: Callable[..., SpecValue]) -> Callable[..., Any]:
    """Make a run folder whose networks were never trained; keywords replace whole fields of the spec."""

    def make(folder: Path, **fields: Any) -> Any:
        import torch

        from skinfw.assembly.assemble import build_dataset, build_generator
        from skinfw.runs.checkpoint_header import Progress
        from skinfw.runs.checkpoints import save_checkpoint
        from skinfw.runs.create import create_run
        from skinfw.specs.spec import parse_spec

        spec = parse_spec(tiny_spec(**fields))
        run = create_run(spec, folder)
        torch.manual_seed(0)
        state = {f"generator.{key}": value for key, value in build_generator(spec).state_dict().items()}
        data = build_dataset(spec).fingerprint()
        for which in ("best", "last"):
            save_checkpoint(run.checkpoint(which), state, spec, Progress(3, 1, 0, data))
        for step in (1, 2, 3):
            run.log("step", step=step, epoch=0, losses={"l1": 1 / step, "gan": 0.7}, seconds_per_step=0.25)
        run.log("evaluation", step=3, epoch=1, values={"image/psnr": 9.5, "skin/psnr": None})
        return run

    return make


@pytest.fixture(scope="session")
def write_samples() -> Callable[..., list[Path]]:
    """Write drawn people as sample folders, one for each name."""

    def write(
        root: Path, names: Sequence[str], *, size: tuple[int, int] = (32, 32), body: bool = True
    ) -> list[Path]:
        import numpy as np
        from PIL import Image

        from skinfw.assembly.build import build
        from skinfw.components.reference import use
        from skinfw.interfaces import Dataset
        from skinfw.testing import example_dataset_io

        io = example_dataset_io(size, ("apparel_head_foot", "line", "segmentation_skin", "mask"))
        people = build(use("dataset", "mannequins", count=len(names)), Dataset, io)
        masks = ("keep", "segmentation_skin", "mask")
        folders = []
        for name, person in zip(names, people.names(), strict=True):
            sample = people.load(person)
            layers = {name: sample[name][..., None].astype(np.uint8) * 255 for name in masks}
            images = {
                "apparel_head_foot": np.concatenate([sample["apparel_head_foot"], layers["keep"]], axis=2),
                "line": sample["line"],
                **{name: layers[name].repeat(3, axis=2) for name in ("segmentation_skin", "mask")},
                **({"body": sample["body"]} if body else {}),
            }
            folder = root / name
            folder.mkdir(parents=True)
            for part, image in images.items():
                Image.fromarray(image).save(folder / f"{part}.png")
            folders.append(folder)
        return folders

    return write


@pytest.fixture(scope="session")
def write_labeled_photos() -> Callable[..., list[Path]]:
    """Write drawn people as photos with DeepFashion's label maps beside them, one person a folder."""

    def write(root: Path, count: int, *, size: tuple[int, int] = (48, 40)) -> list[Path]:
        import numpy as np
        from PIL import Image

        from skinfw_plugins.datasets.mannequin import CLASSES, draw_person
        from skinfw_plugins.segmenters.deepfashion_classes import PALETTES

        colors = {name: color for color, name in PALETTES["files"].items()}
        palette = np.array([colors[name] for name in CLASSES], np.uint8)
        photos = []
        for number in range(count):
            drawing = draw_person(number, size)
            photo = root / f"id_{number:08d}" / "01_1_front.png"
            photo.parent.mkdir(parents=True)
            Image.fromarray(drawing.image).save(photo)
            Image.fromarray(palette[drawing.labels]).save(photo.with_name("01_1_front_segment.png"))
            photos.append(photo)
        return photos

    return write


@pytest.fixture(scope="session")
def segmentation_spec() -> Callable[..., SpecValue]:
    """Make the JSON value of a spec that trains a segmenter in seconds; keywords replace whole fields."""

    def make(root: Path, **fields: Any) -> SpecValue:
        return {
            "name": "parser",
            "task": "segmentation",
            "data": {
                "root": str(root),
                "size": [32, 24],
                "test_fraction": 0.2,
                "validation_fraction": 0.2,
                **fields.pop("data", {}),
            },
            "network": {"type": "smp", "encoder": "tu-test_resnet", "base_channels": 4, "encoder_depth": 3},
            "training": {"epochs": 2, "batch_size": 4, "lr": 3e-3, "device": "cpu", "threads": 1},
            **fields,
        }

    return make


@pytest.fixture(scope="session")
def stand_ins(
    tiny_spec: Callable[..., SpecValue],
    segmentation_spec: Callable[..., SpecValue],
    write_labeled_photos: Callable[..., list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Train stand-ins for the models in the package; returns their folder, for ``stand_ins.models_in``."""
    from stand_ins import make_stand_ins

    folder = tmp_path_factory.mktemp("stand-ins") / "models"
    write_labeled_photos(folder.parent / "photos", 16, size=(96, 64))

    def parser(root: Path) -> SpecValue:
        training = {
            "steps": 90, "batch_size": 3, "lr": 5e-3, "device": "cpu", "threads": 1,
            "evaluate_every": 100, "sample_every": 100,
        }  # fmt: skip
        data = {"size": [48, 32], "classes": "regions"}
        return segmentation_spec(root, data=data, training=training, augmentations=[])

    make_stand_ins(folder, tiny_spec, parser)
    return folder


@pytest.fixture
def models(stand_ins: Path) -> Iterator[Path]:
    """Let the package have the stand-ins as its models."""
    from stand_ins import models_in

    with models_in(stand_ins) as folder:
        yield folder


@pytest.fixture
def no_models(tmp_path: Path) -> Iterator[None]:
    """Let the package have no models."""
    from stand_ins import models_in

    with models_in(tmp_path / "no models"):
        yield


@pytest.fixture(scope="session")
def _write_random_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], tuple[Path, str]]:
    """Write random weights of the first layers of a network, once a session; gives the file and its SHA-256.

    They lie where torch keeps downloads, in a home of their own.
    """
    folder = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    @cache
    def write(network: str, layers: int) -> tuple[Path, str]:
        import torch
        import torchvision

        with torch.device("meta"):
            shapes = getattr(torchvision.models, network)(weights=None).features[:layers].state_dict()
        generator = torch.Generator().manual_seed(0)
        state = {}
        for name, tensor in shapes.items():
            incoming = tensor[0].numel() if tensor.ndim > 1 else 800
            values = torch.randn(tensor.shape, generator=generator)
            values *= (2 / incoming) ** 0.5
            state[f"features.{name}"] = values.abs() if name.endswith("running_var") else values
        path = folder / f"random-{network}-{layers}.pth"
        torch.save(state, path)
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    return write


@pytest.fixture
def random_weights(
    _write_random_weights: Callable[[str, int], tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Publish random weights of a network of torchvision in place of the real ones; returns their file.

    They are found, checked and loaded as the real ones are.
    """

    def publish(network: str, layers: int = 99) -> Path:
        from skinfw_plugins.networks.lpips_distance import shared_distance
        from skinfw_plugins.networks.published_weights import TORCHVISION

        shared_distance.cache_clear()
        path, sha256 = _write_random_weights(network, layers)
        monkeypatch.setenv("TORCH_HOME", str(path.parents[2]))
        file = replace(TORCHVISION[network], name=path.name, sha256=sha256, other_names=())
        monkeypatch.setitem(TORCHVISION, network, file)
        return path

    return publish


@pytest.fixture
def inline_engine() -> Any:
    """Make the runs of an ablation in this process: no start of Python for each."""
    import platform

    import skinfw
    from skinfw.ablation.engine import Engine, Running
    from skinfw.ablation.process import Job, Outcome
    from skinfw.errors import SkinfwError
    from skinfw.specs.spec import parse_spec
    from skinfw.system.json_file import write_json

    class Ended:
        def __init__(self, outcome: Outcome) -> None:
            self.outcome = outcome

        def poll(self) -> Outcome:
            return self.outcome

        def stop(self) -> None:
            raise AssertionError("it has ended")

        kill = stop

    class InlineEngine(Engine):
        slots = 1
        threads = 1

        def start(self, job: Job) -> Running:
            try:
                spec = parse_spec(dict(job.spec))
                resume = not job.overwrite and (job.folder / "log.jsonl").exists()
                skinfw.run(spec, output=job.folder, resume=resume, overwrite=job.overwrite)
            except SkinfwError as error:
                outcome = Outcome("failed", str(error), 0.0, platform.node())
            else:
                outcome = Outcome("done", "", 0.0, platform.node())
            write_json(job.beside("outcome.json"), asdict(outcome))  # as `RunProcess` does
            return Ended(outcome)

    return InlineEngine()


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The process whose copies begin with torch and skinfw imported; see ``forked``."""
    from forked import Forks

    forks = Forks(tmp_path_factory.mktemp("forks"))
    yield forks
    forks.close()
