"""The batch of tensors that networks, losses and metrics see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skinfw.components.config import Size
from skinfw.components.measured_region import WHOLE, Region, region_field
from skinfw.data.field_types import FieldType
from skinfw.data.pose_types import KeypointsType
from skinfw.data.sample import Sample


@dataclass(frozen=True)
class Batch:
    """Several samples as tensors.

    Attributes:
        names: the samples' names.
        fields: the tensors by name; their shape depends on the field's type, see `skinfw.data.field_types`.
        types: the type of each field in each sample.
        source_sizes: height and width of each sample before it was resized.
    """

    names: Sequence[str]
    fields: Mapping[str, Tensor]
    types: Mapping[str, Sequence[FieldType]]
    source_sizes: Sequence[Size] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Tensor:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def size(self) -> Size:
        """Height and width of the images in pixels."""
        for name, types in self.types.items():
            if not isinstance(types[0], KeypointsType):
                height, width = self.fields[name].shape[-2:]
                return height, width
        raise ValueError("the batch has no field with pixels")

    @property
    def device(self) -> torch.device:
        """The device that the tensors are on."""
        return next(iter(self.fields.values())).device

    def condition(self, names: Sequence[str]) -> Tensor:
        """Return the named fields stacked along the channels, float32 ``(B, C, H, W)`` in [0, 1]."""
        return torch.cat([self.types[name][0].condition(self.fields[name]) for name in names], dim=1)

    def show(self, name: str) -> Tensor:
        """Return a field as RGB images, float32 ``(B, 3, H, W)`` in [0, 1]."""
        return self.types[name][0].show(self.fields[name])

    def region(self, region: Region) -> Tensor | None:
        """Return the mask of a region, float32 ``(B, 1, H, W)`` in {0, 1}; None for the whole image."""
        return None if region == WHOLE else self.fields[region_field(region)]

    def updated(self, fields: Mapping[str, Tensor]) -> Batch:
        """Return a copy with other tensors for some of the fields."""
        return replace(self, fields={**self.fields, **fields})

    def take(self, indices: Tensor) -> Batch:
        """Return some samples by their indices in the batch, int64 ``(N,)`` on the CPU."""
        places, indices = indices.tolist(), indices.to(self.device, non_blocking=True)
        return Batch(
            names=[self.names[place] for place in places],
            fields={name: tensor[indices] for name, tensor in self.fields.items()},
            types={name: [types[place] for place in places] for name, types in self.types.items()},
            source_sizes=[self.source_sizes[place] for place in places] if self.source_sizes else (),
        )

    def put(self, indices: Tensor, changed: Batch) -> Batch:
        """Return a copy in which some samples are replaced.

        Args:
            indices: their indices in the batch, int64 ``(N,)`` on the CPU.
            changed: the same samples, changed.
        """
        indices = indices.to(self.device, non_blocking=True)
        return self.updated(
            {name: tensor.index_copy(0, indices, changed[name]) for name, tensor in self.fields.items()}
        )

    def to(self, device: torch.device, memory_format: torch.memory_format) -> Batch:
        """Return the batch on a device and in a memory format."""

        def move(tensor: Tensor) -> Tensor:
            layout = memory_format if tensor.ndim == 4 else torch.preserve_format
            return tensor.to(device, non_blocking=True, memory_format=layout)

        return self._each(move)

    def pin_memory(self) -> Batch:
        """Return the batch in page-locked memory, from which a GPU copies while it computes."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return replace(self, fields={name: change(tensor) for name, tensor in self.fields.items()})


def collate(samples: Sequence[Sample]) -> Batch:
    """Put samples of one size, with the same fields, together into a batch of CPU tensors.

    Raises:
        ValueError: a sample has a field that another one lacks.
    """
    names = samples[0].fields.keys()
    for sample in samples:
        if differing := names ^ sample.fields.keys():
            raise ValueError(
                f"{samples[0].name} and {sample.name} differ in having {', '.join(sorted(differing))}"
            )
    types = {name: [sample.fields[name].type for sample in samples] for name in names}
    fields = {name: types[name][0].tensor([sample[name] for sample in samples]) for name in names}
    batch = Batch([sample.name for sample in samples], fields, types)
    return replace(batch, source_sizes=[sample.source_size or batch.size for sample in samples])
