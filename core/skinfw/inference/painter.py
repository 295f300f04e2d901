"""One pass of a generator over a batch, put together with the input as the spec's composite says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from skinfw.data.batch import Batch
from skinfw.data.sample import APPAREL
from skinfw.inference.composite import composite, painted_region
from skinfw.interfaces import Generator
from skinfw.specs.spec import Composite, Spec


@dataclass(frozen=True)
class Painting:
    """What became of a batch.

    Attributes:
        output: the pictures after the composite, float32 RGB ``(B, 3, H, W)`` in [0, 1].
        painted: where the generator's picture was taken, float32 ``(B, 1, H, W)`` in {0, 1}.
    """

    output: Tensor
    painted: Tensor


@dataclass(frozen=True)
class Painter:
    """Paints batches the same way in training, evaluation and use.

    Attributes:
        inputs: names of the input pictures that the generator sees.
        mode: which part of the generator's picture is kept.
        margin: pixels that the painted region grows into erased pixels of the input.
    """

    inputs: tuple[str, ...]
    mode: Composite
    margin: int

    @classmethod
    def of(cls, spec: Spec, generator: Generator[Any]) -> Painter:
        """Return the painter of a spec for a generator (a baseline sees its own inputs)."""
        return cls(generator.io.inputs, spec.composite, spec.composite_margin)

    def __call__(self, network: nn.Module, batch: Batch, noise: Tensor | None = None) -> Painting:
        """Run the network on a batch and composite its output with ``apparel_head_foot``."""
        output = network(batch.condition(self.inputs), noise)
        painted = painted_region(self.mode, batch.skin, batch.kept, self.margin)
        if self.mode == "none":
            return Painting(output, painted)
        return Painting(composite(output, batch.inputs[APPAREL], painted), painted)
