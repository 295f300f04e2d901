"""The data set Dress Code (Morelli et al., 2022) in its own folders."""

from __future__ import annotations

from skinfw.component_spec import use
from skinfw_plugins.datasets.config_layouts import DressCodeConfig
from skinfw_plugins.datasets.layout import LayoutDataset, Part, read_pairs

_LISTS = {"train": "train_pairs.txt", "test": "test_pairs_paired.txt"}


class DressCodeDataset(LayoutDataset[DressCodeConfig]):
    """Reads ``dresses/images/000000_0.jpg`` with ``label_maps/000000_4.png`` and ``keypoints/000000_2.json``.

    The garments, ``000000_1.jpg`` in the same folder, have no label map and are left out by that.
    """

    def parts(self) -> list[Part]:
        """Return the categories that are asked for."""
        maps = use(
            "segmenter", "label_map",
            labels="atr", folder="../label_maps", photo_suffix="_0", suffix="_4.png",
        )  # fmt: skip
        poses = use("pose_encoder", "dress_code")
        split = self.config.split
        return [
            Part(
                f"{category}/",
                self.config.root / category / "images",
                self.config.segmenter or maps,
                self.config.pose_encoder or poses,
                None if split == "all" else read_pairs(self.config.root / category / _LISTS[split]),
            )
            for category in self.config.categories
        ]
