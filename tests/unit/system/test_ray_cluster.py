"""A Ray cluster of two nodes on this machine, which makes runs, prepares photos and paints them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn_photos import write_drawn_photo
from troubled import install_troubled

from skinfw.ablation.plan import make_plan
from skinfw.ablation.ray_engine import RayEngine
from skinfw.ablation.runner import run_missing
from skinfw.components.reference import ComponentSpec, use
from skinfw.components.registry import installed
from skinfw.errors import DataError
from skinfw.inference.paint_photos import paint_photos
from skinfw.inference.photo_task import PaintWork
from skinfw.preparation.config import PrepareConfig
from skinfw.preparation.prepare import prepare
from skinfw.preparation.report import PrepareReport


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a plugin with troubled segmenters, which the cluster's nodes know."""
    folder = tmp_path_factory.mktemp("troubled") / "plugin"
    with pytest.MonkeyPatch.context() as patch:
        install_troubled(folder, patch)
        installed.cache_clear()
        yield folder
    installed.cache_clear()


@pytest.fixture(scope="module")
def cluster(plugin: Path) -> Iterator[str]:
    """A cluster of two nodes with one CPU each; gives its address."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'skinfw[ray]'")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        # Ray's workers give way to everything else: beside other tests they would hardly get on
        patch.setenv("RAY_worker_niceness", "0")
        # its statistics are gathered in threads that outlive the cluster, and speak up in other tests
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
        cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
        try:
            cluster.add_node(**node)
            yield cluster.address
        finally:
            cluster.shutdown()


def test_both_nodes_of_a_cluster_make_runs(
    cluster: str, tmp_path: Path, tiny_spec: Callable[..., Any]
) -> None:
    base = tiny_spec(losses=["l1"], baselines=[])
    del base["discriminator"]
    base["training"]["epochs"] = 1
    variants = {"skin": {}, "too_large": {"training": {"batch_size": 1000}}}
    plan = make_plan({"name": "try", "base": base, "variants": variants}, output=tmp_path / "out")
    engine = RayEngine(cluster)
    try:
        outcomes = list(run_missing(plan.runs, engine, lambda line: None).values())
    finally:
        engine.close()
    endings = {outcome.ending: outcome for outcome in outcomes}
    assert set(endings) == {"done", "failed"}
    assert "too few for one step of 1000" in endings["failed"].reason
    # a task takes the one CPU of a node
    assert len({outcome.where for outcome in outcomes}) == 2
    assert all(outcome.where.startswith("node ") for outcome in outcomes)
    assert [run.state()[0] for run in plan.runs] == ["done", "missing"]


@pytest.fixture
def photos(tmp_path: Path, write_photo: Callable[..., Path]) -> Path:
    for index, name in enumerate(("anna", "berta", "clara", "dora", "kill", "value")):
        write_photo(tmp_path / "photos" / name / "01_1_front.png", index)
    shutil.copytree(tmp_path / "photos" / "anna", tmp_path / "photos" / "zed")
    (tmp_path / "photos" / "dora" / "01_1_front.png").write_bytes(b"no image")
    return tmp_path / "photos"


def run(root: Path, output: Path, segmenter: ComponentSpec, *engine: Any, **settings: Any) -> PrepareReport:
    config = PrepareConfig.model_validate(settings)
    return prepare(root, output, segmenter, use("pose_encoder", "openpose"), config, None, *engine)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".prepare.lock"
    }


def test_a_cluster_makes_what_one_machine_makes(
    cluster: str, plugin: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.make_archive(str(tmp_path / "all"), "zip", photos)
    meeting = use("segmenter", "troubled_meeting")

    def made(name: str, *engine: Any, **settings: Any) -> PrepareReport:
        for met in (plugin / "met").iterdir():
            met.unlink()
        # paths are relative to where prepare is started
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        return run(Path("../all.zip"), Path("out"), meeting, *engine, duplicates="drop", **settings)

    local = made("local", num_workers=2)
    with monkeypatch.context() as patch:
        patch.setattr("skinfw.system.ray_workers._BLOCK", 1)
        remote = made("remote", "ray", cluster)
    assert [row.reason for row in remote.rows] == [
        *(None, None, None, "photo cannot be read", "component failed", "component failed", "duplicate"),
    ]
    assert remote == local
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")
    # a node has room for one process, which starts others
    assert len({met.name.split()[0] for met in (plugin / "met").iterdir()}) == 2
    # a photo that stops everything is told as on one machine, and the cluster was free for the next run
    troubled = use("segmenter", "troubled")
    with pytest.raises(DataError, match=r"dora/01_1_front\.png: cannot be read: corrupt"):
        run(photos, Path("out"), troubled, "ray", cluster, on_error="fail", num_workers=1)


def test_a_cluster_paints_what_one_machine_paints(
    cluster: str, tmp_path: Path, make_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        write_drawn_photo(tmp_path / "photos" / f"p{seed}.png", seed)
    (tmp_path / "photos" / "broken.png").write_bytes(b"no image")
    dataset = {"type": "photos", "root": str(tmp_path / "photos"), "cache": str(tmp_path / "cache")}
    dataset["prepare"] = {"crop": {"aspect": 2}, "num_workers": 1}
    make_run(tmp_path / "run", data={"dataset": dataset, "size": [32, 16]}, composite="mask")
    monkeypatch.chdir(tmp_path)  # paths are relative to where paint is started

    def painted(name: str, *engine: str, **settings: Any) -> dict[str, bytes]:
        work = PaintWork(tmp_path, Path(name), Path("run"), device="cpu", expose=("upper_arms",))
        rows = paint_photos(work, Path("photos"), engine=engine[0], address=engine[1], **settings)
        assert [row.status for row in rows] == ["failed", *["painted"] * 4]
        return {path.name: path.read_bytes() for path in sorted(Path(name).iterdir()) if path.is_file()}

    remote = painted("remote", "ray", cluster)
    assert remote == painted("local", "local", "", num_workers=1)
    assert len(remote) == 4 + 1  # and the table
