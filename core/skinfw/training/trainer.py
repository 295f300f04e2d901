"""The training loop: epochs, steps, evaluations, checkpoints, resuming."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from itertools import islice

import numpy as np
import torch

from skinfw.components.registry import TRAINED
from skinfw.data.loading import Loader, ShuffledOrder
from skinfw.data.segmentation import RgbImage
from skinfw.data.split import Split
from skinfw.errors import DataError, NotFiniteError
from skinfw.hooks.caller import HookCaller
from skinfw.runs.checkpoint_header import Progress
from skinfw.runs.checkpoints import read_checkpoint
from skinfw.runs.data_record import data_changes
from skinfw.runs.folder import Run
from skinfw.training.checkpointing import Checkpoints
from skinfw.training.compiling import compile_errors
from skinfw.training.finite import diverged
from skinfw.training.initial_weights import start_from
from skinfw.training.interrupt import Interrupt, catch_interrupt
from skinfw.training.module import SampleSource, TrainingModule
from skinfw.training.pace import log_interval, rate_factor
from skinfw.training.ranks import Ranks
from skinfw.training.resuming import check_progress, restore
from skinfw.training.step_losses import LossCheck, StepLosses

logger = logging.getLogger("skinfw")


class Trainer:
    """Trains a run's networks.

    Args:
        run: the run.
        dataset: the source of the samples.
        split: the samples for training, and those that choose the best checkpoint.
        module: the networks to train.
        hooks: calls the plugins' hooks.
        ranks: synchronizes the processes.

    Attributes:
        step: optimizer steps done.
        epoch: epochs done.
        total_steps: optimizer steps of the whole run.
    """

    def __init__(
        self,
        run: Run,
        dataset: SampleSource,
        split: Split,
        module: TrainingModule,
        hooks: HookCaller,
        ranks: Ranks,
    ) -> None:
        self.run, self.dataset, self.split, self.hooks = run, dataset, split, hooks
        self.accelerator, self.ranks = module.accelerator, ranks
        self.training = run.spec.training
        self.module = module
        self.order = ShuffledOrder(
            len(split.train), run.spec.seed, self.accelerator.process_index, self.accelerator.num_processes
        )
        self.loader = Loader(
            module.cache.reading(dataset),
            split.train,
            batch_size=self.training.batch_size,
            num_workers=run.spec.data.num_workers,
            device=self.accelerator.device,
            skip_corrupt=run.spec.data.on_corrupt == "skip",
            order=self.order,
        )
        self.batches_per_epoch = self._batches_per_epoch()
        steps_per_epoch = self.batches_per_epoch // self.training.gradient_accumulation
        self.total_steps = self.training.steps or (self.training.epochs or 0) * steps_per_epoch
        if self.total_steps < self.training.steps_per_cycle:
            raise DataError(
                f"{self.total_steps} steps are too few for training.n_critic "
                f"{self.training.steps_per_cycle}: the generator would never be trained; train longer"
            )
        self.step = self.epoch = self.batches = 0
        self.losses = LossCheck()
        self.closed = True
        self.checkpoints = Checkpoints(run, split, module, is_main=ranks.is_main)
        self.data_fingerprint = dataset.fingerprint()

    def _batches_per_epoch(self) -> int:
        """Return the batches of a whole number of steps.

        Raises:
            DataError: there are too few samples for one step.
        """
        accumulation = self.training.gradient_accumulation
        whole = len(self.loader) // accumulation * accumulation
        if whole == 0:
            need = self.training.batch_size * accumulation * self.accelerator.num_processes
            raise DataError(
                f"{len(self.split.train)} training samples are too few for one step of {need} (batch_size, "
                "gradient_accumulation and processes); lower training.batch_size or add samples"
            )
        return whole

    def resume(self) -> None:
        """Resume from the last checkpoint, or start from the beginning without one."""
        path = self.run.checkpoint("last")
        if not path.is_file():
            self._rewind_log()
            return
        checkpoint = read_checkpoint(path)
        progress = checkpoint.progress
        if progress.data != self.data_fingerprint:
            changes = data_changes(self.run, self.dataset)
            raise DataError(
                f"{path}: was trained on different data from what the data set now contains"
                f"{f' ({changes})' if changes else ''}; restore the data, or start again with --overwrite"
            )
        check_progress(
            path,
            progress,
            processes=self.accelerator.num_processes,
            total_steps=self.total_steps,
            batches_per_epoch=self.batches_per_epoch,
            batches_per_step=self.training.gradient_accumulation,
        )
        restore(self.module, checkpoint)
        self.step, self.epoch, self.batches = progress.step, progress.epoch, progress.batches
        self.closed = progress.closed
        self.checkpoints.resume(path, checkpoint.about, progress.step)
        self._rewind_log()
        if self.step == self.total_steps and self.closed:
            logger.warning("all %d steps are already trained; only the evaluation is left", self.step)
            if progress.total_steps != self.total_steps:  # it was planned longer, but now ends here
                self._save("last")

    def _rewind_log(self) -> None:
        """Remove log entries of steps that will be repeated."""
        if self.ranks.is_main:
            # unless everything was done after this step, its evaluation is still pending
            self.run.rewind_log(self.step, evaluations_before=self.step + self.closed)
        self.ranks.wait()

    def fit(self) -> None:
        """Train to the end.

        Raises:
            TrainingError: a loss, a weight or an inpainted image is not finite.
            SkinfwError: the networks cannot be prepared for the first step.
            KeyboardInterrupt: Ctrl-C was pressed; everything is saved.
        """
        if self.step == 0:  # else a checkpoint provided all weights
            self.module.prepare_training(self.split, self.dataset)
            if self.training.initial_weights is not None:
                start_from(self.module, self.training.initial_weights, self.split, self.dataset)
        kept = self.checkpoints
        if kept.monitor is None and self.split.validation and self.ranks.is_main:
            kept.monitor = self.module.monitor(self.split.validation)
        self.hooks.call("run_started", run=self.run, total_steps=self.total_steps, step=self.step)
        self.ranks.wait()
        with catch_interrupt() as interrupt:
            while self.step < self.total_steps or not self.closed:
                if self.batches < self.batches_per_epoch and self.step < self.total_steps:
                    self._train_epoch(interrupt)
                self._end_epoch()
                self._stop_when_asked(interrupt)
        kept.forget_lost_best()
        if self.ranks.is_main and kept.best is None:
            if self.split.validation:
                logger.warning("no evaluation chose the best checkpoint; it holds the last weights")
            self._save("best")

    def _train_epoch(self, interrupt: Interrupt) -> None:
        """Train to the end of the epoch, or of the run."""
        self.order.start(self.epoch, self.batches * self.training.batch_size)
        began, logged = time.perf_counter(), self.step
        batches = iter(self.loader)
        while together := list(islice(batches, self.training.gradient_accumulation)):
            self._seed()
            self.module.set_rate(rate_factor(self.training.schedule, self.step / self.total_steps))
            with compile_errors() if self.training.compile else nullcontext():
                losses = self.module.train_step(together, self.step + 1)
            self.batches, self.closed = self.batches + len(together), False
            self.step += 1
            self.losses.add(self.step, losses)
            if self._due() or self.losses.full:
                self.losses.check(self.checkpoints.described)
            if self._due():
                seconds = (time.perf_counter() - began) / (self.step - logged)
                self._log(losses, seconds)
                began, logged = time.perf_counter(), self.step
            images = sum(len(batch.names) for batch in together) * self.accelerator.num_processes
            self.hooks.call("step_ended", run=self.run, step=self.step, losses=losses, images=images)
            if self.step % (self.training.checkpoint_every or self.total_steps) == 0:
                self._save("last")
            self._stop_when_asked(interrupt)
            if self.batches == self.batches_per_epoch or self.step == self.total_steps:
                return

    def _seed(self) -> None:
        """Seed this step's random numbers by its index, so that a resumed run draws the same ones."""
        place = self.epoch * self.batches_per_epoch + self.batches
        processes = self.accelerator.num_processes
        torch.manual_seed((self.run.spec.seed << 32) + place * processes + self.accelerator.process_index)

    def _due(self) -> bool:
        every = log_interval(self.training, self.total_steps)
        return self.step % every == 0 or self.step == self.total_steps

    def _log(self, losses: StepLosses, seconds: float) -> None:
        if self.ranks.is_main:
            self.run.log(
                "step",
                step=self.step,
                epoch=self.epoch,
                losses=dict(losses),
                seconds_per_step=round(seconds, 6),
            )

    def _stop_when_asked(self, interrupt: Interrupt) -> None:
        # the signal reaches each process at a different step
        if self.ranks.any(interrupt.asked):
            self._save("last")
            self.ranks.wait()
            if not self.ranks.is_main:
                raise SystemExit(130)
            raise KeyboardInterrupt(f"Interrupted; step {self.step} is saved. Continue with --resume.")

    def _end_epoch(self) -> None:
        """Show and evaluate samples, at the end of an epoch or of the run."""
        self.losses.check(self.checkpoints.described)
        self.module.check_finite(self.step, self.checkpoints.described(self.step))
        number, done = self.epoch + 1, self.step >= self.total_steps
        if self.batches == self.batches_per_epoch:
            # else the run ends within the epoch, and a longer one continues within it
            self.epoch, self.batches = number, 0
        self.closed = True
        self.hooks.call(
            "epoch_ended", run=self.run, epoch=number, step=self.step, inpaint_samples=self.inpaint_samples
        )
        if self.split.validation and (done or number % self.training.evaluate_every == 0):
            self._evaluate(number)
        self._save("last")

    def _evaluate(self, epoch: int) -> None:
        """Evaluate the validation samples in all processes; keep the weights if they are the best so far."""
        self.module.agree(self.ranks)
        try:
            evaluation = self.module.evaluate(self.split.validation, self.step, self.ranks)
        except NotFiniteError as error:
            what = f"after step {self.step} the network's output is not finite (NaN or infinity)"
            raise diverged(what, self.checkpoints.described(self.step)) from error
        if self.ranks.is_main:
            self.run.log("evaluation", step=self.step, epoch=epoch, values=evaluation.values[TRAINED])
            if self.checkpoints.choose(evaluation, self.step):
                self._save("best")
            self.hooks.call("evaluated", run=self.run, evaluation=evaluation, step=self.step)
        self.ranks.wait()

    def inpaint_samples(self, count: int) -> RgbImage:
        """Return a grid of the first validation (or test) samples with the networks' current output.

        Args:
            count: number of samples, one per row.

        Returns:
            uint8 RGB: in each row the input images, the output and the target.
        """
        rows = self.module.sample_rows((self.split.validation or self.split.test)[:count])
        if not rows:
            raise DataError("none of the sample images can be read")
        return np.concatenate(rows, axis=0)

    def _save(self, which: str) -> None:
        self.losses.check(self.checkpoints.described)  # the same in all processes
        if which == "last":  # the first process alone saves the best one, after an evaluation
            self.module.agree(self.ranks)
        if self.ranks.is_main:
            progress = Progress(
                self.step, self.epoch, self.batches, self.data_fingerprint, self.closed,
                self.accelerator.num_processes, self.total_steps,
            )  # fmt: skip
            self.checkpoints.save(which, progress)
