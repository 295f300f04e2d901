"""The lifecycle hooks of a run, for pluggy.

A plugin is a module or object with functions marked by `hookimpl`, installed under the entry-point group
``skinfw.hooks`` or passed to `skinfw.hooks.caller.HookCaller`. Hooks only observe: their return values are
ignored, and a failing hook is logged with its plugin's name while the run continues. A hook may take any
subset of the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from skinfw.data.segmentation import RgbImage
    from skinfw.evaluation.results import Evaluation
    from skinfw.runs.folder import Run

PROJECT = "skinfw"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The events of a run, in the order in which they happen."""

    @hookspec
    def run_started(self, run: Run, step: int, total_steps: int) -> None:
        """Training starts, or resumes with ``--resume``; everything is built.

        Args:
            run: the run.
            step: optimizer steps done before.
            total_steps: optimizer steps of the whole run.
        """

    @hookspec
    def step_ended(self, run: Run, step: int, losses: Mapping[str, float], images: int) -> None:
        """One optimizer step is done.

        Args:
            run: the run.
            step: steps done so far.
            losses: the unweighted loss terms of this step by name. The first look at a value reads them from
                the device, for which training waits; on a GPU, look at every tenth step or less.
            images: training images in this step, over all processes.
        """

    @hookspec
    def epoch_ended(
        self, run: Run, epoch: int, step: int, inpaint_samples: Callable[[int], RgbImage]
    ) -> None:
        """One pass over the training samples is done.

        Args:
            run: the run.
            epoch: epochs done so far.
            step: steps done so far.
            inpaint_samples: inpaints that many samples with the current weights: uint8 RGB, one row per
                sample with its inputs, output and target.
        """

    @hookspec
    def evaluated(self, run: Run, evaluation: Evaluation, step: int) -> None:
        """The validation or test samples were measured."""

    @hookspec
    def run_ended(self, run: Run) -> None:
        """Training and the last evaluation are done; the report is written."""

    @hookspec
    def run_failed(self, run: Run, error: BaseException) -> None:
        """The run stopped because of an error or Ctrl-C."""
