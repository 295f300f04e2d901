from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter
from try_on import SEGMENTER

from skinfw.assembly.build import build
from skinfw.components.reference import ComponentSpec, Slot, use
from skinfw.interfaces import PoseEncoder, Segmenter
from skinfw.repair.parsing import Parser


@pytest.fixture(scope="session")
def parser() -> Parser:
    """Reads the label maps and poses that ``write_pair`` writes."""
    slot: TypeAdapter[ComponentSpec] = TypeAdapter(Annotated[ComponentSpec, Slot("segmenter")])
    segmenter = build(slot.validate_python(SEGMENTER), Segmenter)
    return Parser(segmenter, build(use("pose_encoder", "openpose"), PoseEncoder))
