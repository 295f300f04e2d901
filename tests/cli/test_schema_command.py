import json

import jsonschema
from click.testing import CliRunner

from skinfw.ablation.file import ablation_schema
from skinfw.cli import main
from skinfw.specs.schema import segmentation_schema, spec_schema


def test_the_schema_is_printed_and_is_one() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == spec_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_of_ablations_is_printed() -> None:
    result = CliRunner().invoke(main, ["schema", "ablation"])
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == ablation_schema()


def test_the_schema_of_segmentation_specs_is_printed() -> None:
    result = CliRunner().invoke(main, ["schema", "segmentation"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == segmentation_schema()
