"""The data set Dress Code (Morelli et al., 2022) in its original folders."""

from __future__ import annotations

from typing import ClassVar

from skinfw.components.reference import ComponentSpec, use
from skinfw_plugins.datasets.config_layouts import DressCodeConfig
from skinfw_plugins.datasets.layout import LayoutDataset, Part, photo_folder, read_pairs

_LISTS = {"train": "train_pairs.txt", "test": "test_pairs_paired.txt"}


class DressCodeDataset(LayoutDataset[DressCodeConfig]):
    """Reads ``dresses/images/000000_0.jpg`` with ``label_maps/000000_4.png`` and ``keypoints/000000_2.json``.

    The garments, ``000000_1.jpg`` in the same folder, have no label map and are therefore skipped.
    """

    published_by: ClassVar[str] = "SCHP, the data set's own label maps"

    def parts(self) -> list[Part]:
        """Return the configured categories."""
        maps = use(
            "segmenter", "label_map",
            labels="atr", folder="../label_maps", photo_suffix="_0", suffix="_4.png",
        )  # fmt: skip
        return [self._part(category, self.config.segmenter or maps) for category in self.config.categories]

    def _part(self, category: str, segmenter: ComponentSpec) -> Part:
        folder, split = self.config.root / category, self.config.split
        poses = use(
            "pose_encoder", "openpose",
            folder=folder / "keypoints", photo_suffix="_0", suffix="_2.json", order="coco_18",
            pixels_of=self.config.points_size,
        )  # fmt: skip
        wanted = None if split == "all" else read_pairs(folder / _LISTS[split])
        encoder = self.config.pose_encoder or poses
        return Part(f"{category}/", photo_folder(folder / "images"), segmenter, encoder, wanted)
