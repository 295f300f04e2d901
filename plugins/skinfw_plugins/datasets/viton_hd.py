"""The data set VITON-HD (Choi et al., 2021) in its original folders."""

from __future__ import annotations

from typing import ClassVar

from skinfw.components.reference import use
from skinfw_plugins.datasets.config_layouts import VitonHdConfig
from skinfw_plugins.datasets.layout import LayoutDataset, Part, photo_folder, read_pairs


class VitonHdDataset(LayoutDataset[VitonHdConfig]):
    """Reads ``train/image/00000_00.jpg`` with its label map and OpenPose's JSON.

    If ``train_pairs.txt`` exists, only the photos that it lists count. The garments are not used.
    """

    published_by: ClassVar[str] = "CIHP_PGN, the data set's own label maps"

    def parts(self) -> list[Part]:
        """Return the configured parts."""
        splits = ("train", "test") if self.config.split == "all" else (self.config.split,)
        return [self._part(split, prefix=f"{split}/" if len(splits) > 1 else "") for split in splits]

    def _part(self, split: str, prefix: str) -> Part:
        folder, pairs = self.config.root / split, self.config.root / f"{split}_pairs.txt"
        # the maps use LIP's code for jumpsuits for torso skin
        maps = use("segmenter", "label_map", labels="cihp", folder=f"../{self.config.label_maps}")
        poses = use("pose_encoder", "openpose", folder=folder / self.config.poses)
        return Part(
            prefix,
            photo_folder(folder / "image"),
            self.config.segmenter or maps,
            self.config.pose_encoder or poses,
            read_pairs(pairs) if pairs.exists() else None,
        )
