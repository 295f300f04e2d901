from __future__ import annotations

from typing import get_args

from skinfw.components.regions import RegionName
from skinfw.data.segmentation import REGIONS
from skinfw_plugins.segmenters.config_labels import LabelSetName
from skinfw_plugins.segmenters.label_sets import LABEL_SETS


def test_configurations_know_all_label_sets_and_regions() -> None:
    assert list(get_args(LabelSetName)) == list(LABEL_SETS)
    assert get_args(RegionName) == REGIONS
