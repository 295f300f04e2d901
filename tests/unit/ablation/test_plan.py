from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinfw.ablation.file import ablation_schema, parse_ablation
from skinfw.ablation.plan import Plan, make_plan
from skinfw.ablation.runner import check_folders
from skinfw.errors import RunError, SpecError, UserError

ROOT = Path(__file__).parents[3]


def test_every_variant_runs_with_every_seed_in_a_folder_of_its_own(planned: Callable[..., Plan]) -> None:
    plan = planned()
    found = [(run.variant, run.seed, run.folder.relative_to(plan.output).as_posix()) for run in plan.runs]
    assert found == [
        ("first", 0, "first/seed_0"),
        ("first", 1, "first/seed_1"),
        ("second", 0, "second/seed_0"),
        ("second", 1, "second/seed_1"),
    ]
    assert [run.spec.seed for run in plan.runs] == [0, 1, 0, 1]
    assert [run.spec.composite for run in plan.runs] == ["skin", "skin", "none", "none"]
    assert {run.spec.name for run in plan.runs} == {"try-first", "try-second"}
    assert {run.spec.data.model_dump_json() for run in plan.runs} == {
        plan.runs[0].spec.data.model_dump_json()
    }


def test_all_errors_of_all_variants_are_told_with_variant_and_path(planned: Callable[..., Plan]) -> None:
    variants = {
        "good": {},
        "channels": {"generator": {"base_channels": 0}, "training": {"batch_size": 0}},
        "unknown": {"generator": "pix3pix"},
    }
    with pytest.raises(SpecError) as caught:
        planned(variants=variants)
    errors = caught.value.errors
    assert len(errors) == 3
    assert errors[0].startswith("variant channels: $.generator.base_channels: ")
    assert errors[1].startswith("variant channels: $.training.batch_size: ")
    assert errors[2].startswith("variant unknown: $.generator: ")
    assert "pix2pix" in errors[2]


def test_an_error_of_the_base_is_told_once(
    planned: Callable[..., Plan], tiny_spec: Callable[..., Any]
) -> None:
    with pytest.raises(SpecError) as caught:
        planned(base=tiny_spec(metrics=["psnrr"]))
    (error,) = caught.value.errors
    assert error.startswith("every variant: $.metrics[0]: ")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"variants": {}}, "$.variants"),
        ({"variants": {"../up": {}}}, '$.variants["../up"]'),
        ({"variants": {"a": {}, "A": {}}}, "$.variants"),
        ({"variants": {"a": 3}}, "$.variants.a"),
        ({"seeds": []}, "$.seeds"),
        ({"seeds": [1, 1]}, "$.seeds"),
        ({"seeds": [-1]}, "$.seeds[0]"),
        ({"size": "huge"}, "$.size"),
        ({"compare_to": "frist"}, "$.compare_to"),
        ({"sizes": {"s": {"variants": ["third"]}}}, "$.sizes"),
        ({"sizes": {"s": {"seeds": [0, 0]}}}, "$.sizes"),
        ({"published": "input"}, "$.published"),
        ({"published_rows": {"first": "l1"}}, "$.published_rows"),
        ({"published": "losses", "published_rows": {"first": "l2"}}, "$.published_rows"),
        ({"varaints": {}}, "$.varaints"),
        ({"base": 3}, "$.base"),
    ],
)
def test_errors_of_the_file_are_told_with_their_place(
    planned: Callable[..., Plan], fields: dict[str, Any], path: str
) -> None:
    with pytest.raises(SpecError) as caught:
        planned(**fields)
    assert caught.value.errors[0].startswith(f"{path}: "), caught.value.errors


def test_the_nearest_name_is_told(planned: Callable[..., Plan]) -> None:
    with pytest.raises(SpecError, match="did you mean 'first'"):
        planned(compare_to="frist")
    with pytest.raises(UserError, match="no variant 'secnd'; did you mean 'second'"):
        planned().chosen(only=["secnd"])
    with pytest.raises(UserError, match="no seed 7"):
        planned().chosen(seeds=[7])


def test_a_size_patches_the_base_before_the_variant_and_has_its_own_seeds_and_variants(
    tiny_spec: Callable[..., Any], tmp_path: Path
) -> None:
    value = {
        "name": "sized",
        "base": tiny_spec(),
        "variants": {"a": {}, "b": {"training": {"epochs": 7}}, "c": {}},
        "seeds": [0, 1],
        "sizes": {
            "small": {
                "patch": {"training": {"epochs": 1, "batch_size": 2}},
                "seeds": [5],
                "variants": ["b", "a"],
            },
            "large": {},
        },
        "size": "small",
        "compare_to": "c",
    }
    small = make_plan(value)
    assert small.output == Path("runs", "sized-small")
    assert [(run.variant, run.seed) for run in small.runs] == [("a", 5), ("b", 5)]
    assert [run.spec.training.epochs for run in small.runs] == [1, 7]
    assert [run.spec.training.batch_size for run in small.runs] == [2, 2]
    # the variant that is compared to is none of this size's
    assert small.reference == "a"
    large = make_plan(value, size="large", overrides={"training.epochs": 3}, output=tmp_path)
    assert (large.output, large.reference, len(large.runs)) == (tmp_path, "c", 6)
    assert [run.spec.training.epochs for run in large.runs] == [3, 3, 7, 7, 3, 3]
    with pytest.raises(UserError, match="no size 'smal'; did you mean 'small'"):
        make_plan(value, size="smal")


def test_paths_count_from_the_folder_of_the_base(tiny_spec: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    base = tiny_spec(data={"dataset": {"type": "folder", "root": "people"}, "size": [32, 32]})
    (tmp_path / "specs" / "base.json").write_text(json.dumps(base), encoding="utf-8")
    file = tmp_path / "ablation.json"
    variants = {"a": {}, "b": {"data": {"dataset": {"root": "others"}}}}
    for where, folder in (("specs/base.json", tmp_path / "specs"), (base, tmp_path)):
        value = {"name": "paths", "base": where, "variants": variants}
        file.write_text(json.dumps(value), encoding="utf-8")
        roots = [run.spec.data.dataset.to_json()["root"] for run in make_plan(file).runs]
        assert roots == [str(folder / "people"), str(folder / "others")]
    file.write_text(json.dumps({"name": "paths", "base": "no.json", "variants": {"a": {}}}), encoding="utf-8")
    with pytest.raises(SpecError, match=r"no\.json: no such file"):
        make_plan(file)


def test_a_folder_is_judged_by_what_it_holds(
    planned: Callable[..., Plan], measure: Callable[..., None]
) -> None:
    done, half, changed, taken = planned().runs
    for run in (done, half, changed):
        assert run.state() == ("missing", "")
        measure(run, {"image/psnr": [1.0, 2.0, 3.0, 4.0]})
    (half.folder / "metrics.json").unlink()
    spec = json.loads((changed.folder / "spec.json").read_text(encoding="utf-8"))
    spec["training"]["epochs"] = 9
    (changed.folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    taken.folder.mkdir(parents=True)
    (taken.folder / "thesis.tex").write_text("mine", encoding="utf-8")
    assert done.state() == ("done", "")
    assert half.state() == ("half done", "")
    assert changed.state() == ("changed", "$.training.epochs changed")
    assert taken.state() == ("in the way", "holds files other than a run")
    with pytest.raises(RunError) as caught:
        check_folders([done, half, changed, taken], overwrite=False)
    told = str(caught.value)
    assert str(changed.folder) in told and "$.training.epochs changed" in told
    assert str(taken.folder) in told and str(half.folder) not in told
    check_folders([done, half, changed], overwrite=True)
    with pytest.raises(RunError, match="holds files other than"):
        check_folders([taken], overwrite=True)
    assert (taken.folder / "thesis.tex").read_text(encoding="utf-8") == "mine"


def test_threads_do_not_make_a_run_another_one(
    planned: Callable[..., Plan], measure: Callable[..., None]
) -> None:
    run = planned().runs[0]
    measure(run, {"image/psnr": [1.0, 2.0, 3.0, 4.0]})
    path = run.folder / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["training"]["threads"] = 13
    path.write_text(json.dumps(spec), encoding="utf-8")
    assert run.state() == ("done", "")
    spec["generator"] = {"type": "gone"}
    path.write_text(json.dumps(spec), encoding="utf-8")
    state, why = run.state()
    assert state == "changed"
    assert "no longer valid" in why


def test_the_published_schema_is_up_to_date_and_fits(planned: Callable[..., Plan]) -> None:
    import jsonschema

    path = ROOT / "docs" / "reference" / "ablation.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema == ablation_schema(), (
        "out of date; write it again: skinfw schema ablation > docs/reference/ablation.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for file in (ROOT / "examples" / "report").glob("*.json"):
        validator.validate(json.loads(file.read_text(encoding="utf-8")))
    validator.validate(planned().ablation.to_json())
    assert not validator.is_valid({"name": "x", "base": "x.json", "variants": {}})
    with pytest.raises(SpecError):
        parse_ablation({"name": "x", "base": "x.json", "variants": {}})


def test_seeds_and_names_of_runs_are_the_ablations_own(planned: Callable[..., Plan]) -> None:
    with pytest.raises(SpecError) as caught:
        planned(variants={"first": {"seed": 9}, "second": {"name": "mine"}})
    why = "which the ablation sets for each run; use seeds and the variants' names"
    assert caught.value.errors == (
        f"$.variants.first: sets seed, {why}",
        f"$.variants.second: sets name, {why}",
    )
