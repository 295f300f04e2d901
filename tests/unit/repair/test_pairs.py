"""Photos and results are paired as the try-on systems name them; nothing without a partner is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from skinfw.errors import DataError, SpecError
from skinfw.repair.pairs import Pairing, PairOfFiles, find_pairs, read_pairs


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


def no_sources(photo: Path) -> tuple[Path, ...]:
    return ()


def named(pairing: Pairing) -> dict[str, str]:
    return {pair.name: pair.person.stem for pair in pairing.pairs}


@pytest.mark.parametrize("layout", ["names", "catvton", "idm_vton"])
def test_results_with_the_photos_name(tmp_path: Path, layout: str) -> None:
    photos = write(tmp_path / "image", "00001_00.jpg", "00002_00.jpg", "00003_00.jpg")
    results = write(tmp_path / "out", "unpaired/00001_00.png", "unpaired/00002_00.png", "unpaired/9_00.png")
    found = find_pairs(photos, results, layout, no_sources)  # type: ignore[arg-type]
    assert named(found) == {"unpaired/00001_00": "00001_00", "unpaired/00002_00": "00002_00"}
    assert found.photos == ["00003_00.jpg"]
    assert found.results == ["unpaired/9_00.png"]
    assert found.unmatched() == (
        "1 photos have no result: 00003_00.jpg; 1 results have no photo: unpaired/9_00.png"
    )


def test_results_with_the_names_of_photo_and_garment(tmp_path: Path) -> None:
    photos = write(tmp_path / "image", "00001_00.jpg", "00001_00_a.jpg")
    results = write(tmp_path / "out", "00001_00_00002_00.png", "00001_00_a_00002_00.png", "grid.png")
    found = find_pairs(photos, results, "hr_viton", no_sources)
    assert named(found) == {"00001_00_00002_00": "00001_00", "00001_00_a_00002_00": "00001_00_a"}
    assert found.results == ["grid.png"]


def test_numbered_results(tmp_path: Path) -> None:
    photos = write(tmp_path / "image", "anna.jpg", "ben.jpg")
    results = write(
        tmp_path / "out",
        "anna/images_output/out_hd_0.png",
        "anna/images_output/mask.jpg",
        "ben/out_dc_12.png",
    )
    found = find_pairs(photos, results, "ootdiffusion", no_sources)
    assert named(found) == {"anna/images_output/out_hd_0": "anna", "ben/out_dc_12": "ben"}
    assert found.results == ["anna/images_output/mask.jpg"]
    # all results of one photo
    one = find_pairs(photos / "anna.jpg", results, "ootdiffusion", no_sources)
    assert set(named(one).values()) == {"anna"}
    assert len(one.pairs) == 2


def test_two_files_are_a_pair_whatever_their_names(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg", "b.png")
    found = find_pairs(tmp_path / "a.jpg", tmp_path / "b.png", "names", no_sources)
    assert named(found) == {"b": "a"}


def test_label_maps_are_neither(tmp_path: Path) -> None:
    photos = write(tmp_path / "image", "anna.jpg", "anna_map.png")
    results = write(tmp_path / "out", "anna.png", "anna_map.png")
    found = find_pairs(photos, results, "names", lambda path: (path.with_name(f"{path.stem}_map.png"),))
    assert named(found) == {"anna": "anna"}
    assert not found.unmatched()


def test_no_pair_and_equal_names(tmp_path: Path) -> None:
    photos = write(tmp_path / "image", "anna.jpg")
    results = write(tmp_path / "out", "ben.png")
    with pytest.raises(DataError, match=r"no result belongs to a photo.*1 photos have no result: anna.jpg"):
        find_pairs(photos, results, "names", no_sources)
    write(photos, "anna.png")
    with pytest.raises(DataError, match="has the same name; rename one"):
        find_pairs(photos, results, "names", no_sources)
    with pytest.raises(DataError, match="no such folder"):
        find_pairs(tmp_path / "none", results, "names", no_sources)


def test_two_results_of_one_name_are_rejected(tmp_path: Path) -> None:
    photos, results = write(tmp_path / "p", "a.jpg"), write(tmp_path / "r", "a.jpg", "a.png")
    with pytest.raises(DataError, match=r"a.png: a.jpg has the same name; rename one of them"):
        find_pairs(photos, results, "names", no_sources)
    (results / "sub").mkdir()
    (results / "a.png").rename(results / "sub" / "a.png")
    assert named(find_pairs(photos, results, "names", no_sources)) == {"a": "a", "sub/a": "a"}
    # results without a photo are not written, so they may share a name
    write(results, "b.jpg", "b.png")
    assert find_pairs(photos, results, "names", no_sources).results == ["b.jpg", "b.png"]
    # pairs made in Python are checked too; composed and decomposed letters are one name
    pairs = [PairOfFiles(name, photos / "a.jpg", results / f"{name}.png") for name in ("\xe9", "e\u0301")]
    with pytest.raises(DataError, match="has the same name"):
        Pairing(pairs, (), ())


def csv_of(folder: Path, text: str) -> Path:
    path = folder / "pairs.csv"
    path.write_text(text)
    return path


def test_pairs_of_a_csv(tmp_path: Path) -> None:
    photos, results = write(tmp_path / "p", "a/1.jpg"), write(tmp_path / "r", "x.png", "y.png")
    path = csv_of(tmp_path, "result,note,person\nx.png,good,a/1.jpg\ny.png,,a/1.jpg\n")
    found = read_pairs(path, photos, results)
    assert named(found) == {"x": "1", "y": "1"}
    assert found.pairs[0].person == photos / "a/1.jpg"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("photo,result\na/1.jpg,x.png\n", "no column 'person'"),
        ("person,result\n", "no pairs"),
        ("person,result\na/1.jpg\n", "line 2: a path is missing"),
        ("person,result\na/2.jpg,x.png\n", "line 2: .*2.jpg: no such file"),
        ("person,result\n../secret.jpg,x.png\n", "contains '..'"),
        ("person,result\n/etc/secret.jpg,x.png\n", "the path is absolute"),
        ("person,result\na/1.jpg,x\n", "x is not an image"),
        ("person,result\na/1.jpg,x.png\na/1.jpg,x.png\n", "line 3: the result 'x' is listed twice"),
        ('person,result\n"a/1.jpg,x.png\n', "unexpected end of data"),
    ],
)
def test_a_bad_csv_is_one_error(tmp_path: Path, text: str, error: str) -> None:
    photos, results = write(tmp_path / "p", "a/1.jpg"), write(tmp_path / "r", "x.png")
    with pytest.raises(DataError, match=error):
        read_pairs(csv_of(tmp_path, text), photos, results)


def test_a_missing_csv(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        read_pairs(tmp_path / "none.csv", write(tmp_path / "p", "a.jpg"), write(tmp_path / "r", "a.png"))


def test_label_maps_are_named_by_paths_and_by_names_that_are_unique(tmp_path: Path) -> None:
    photos = write(tmp_path / "p", "x/front.jpg", "y/back.jpg", "y/front.jpg")
    text = "person,result\n" + "".join(
        f"{name},{name}\n" for name in ("x/front.jpg", "y/back.jpg", "y/front.jpg")
    )
    names = [("x/front",), ("y/back", "back"), ("y/front",)]
    for found in (
        find_pairs(photos, photos, "names", no_sources),
        read_pairs(csv_of(tmp_path, text), photos, photos),
    ):
        assert [tuple(pair.person_names) for pair in found.pairs] == names
        assert [tuple(pair.result_names) for pair in found.pairs] == names
