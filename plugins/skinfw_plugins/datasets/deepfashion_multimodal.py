"""The data set DeepFashion-MultiModal (Jiang et al., 2022) in its own folders."""

from __future__ import annotations

from skinfw.component_spec import use
from skinfw_plugins.datasets.config_layouts import DeepfashionMultimodalConfig
from skinfw_plugins.datasets.layout import LayoutDataset, Part


class DeepfashionMultimodalDataset(LayoutDataset[DeepfashionMultimodalConfig]):
    """Reads ``images/WOMEN-Dresses-id_00000002-02_1_front.jpg`` with ``segm/..._segm.png``.

    Poses are the points of ``keypoints/keypoints_loc.txt`` and ``keypoints_vis.txt``. Photos without a label
    map, which are those of less than a whole body, are left out.
    """

    def parts(self) -> list[Part]:
        """Return the one part."""
        maps = use(
            "segmenter", "label_map", labels="deepfashion_multimodal", folder="../segm", suffix="_segm.png"
        )
        points = self.config.root / "keypoints"
        poses = use(
            "pose_encoder",
            "deepfashion_points",
            locations=points / "keypoints_loc.txt",
            visibility=points / "keypoints_vis.txt",
        )
        photos = self.config.root / "images"
        return [Part("", photos, self.config.segmenter or maps, self.config.pose_encoder or poses)]
