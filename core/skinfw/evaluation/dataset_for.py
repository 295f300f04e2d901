"""The data set that a baseline needs."""

from __future__ import annotations

from typing import Any

from skinfw.assemble import build_dataset
from skinfw.interfaces import Dataset, Generator
from skinfw.spec import Spec


def dataset_for(baseline: Generator[Any], name: str, spec: Spec, dataset: Dataset[Any]) -> Dataset[Any]:
    """Return a data set with a baseline's inputs: the given one where it has them, a new one otherwise.

    Args:
        baseline: the baseline.
        name: its name in the spec.
        spec: describes the data.
        dataset: what the trained generator is measured on.

    Raises:
        SkinfwError: the data set cannot be built with these inputs.
    """
    if set(baseline.io.inputs) <= set(dataset.io.inputs):
        return dataset
    own = tuple(reference for reference in spec.baselines if reference.name == name)
    return build_dataset(spec.model_copy(update={"baselines": own}))
