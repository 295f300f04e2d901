"""The data set DeepFashion-MultiModal (Jiang et al., 2022) in its original folders."""

from __future__ import annotations

from skinfw.components.reference import ComponentSpec, use
from skinfw.errors import DataError
from skinfw_plugins.datasets.config_layouts import DeepfashionMultimodalConfig
from skinfw_plugins.datasets.layout import LayoutDataset, Part, photo_folder


class DeepfashionMultimodalDataset(LayoutDataset[DeepfashionMultimodalConfig]):
    """Reads ``images/WOMEN-Dresses-id_00000002-02_1_front.jpg`` with ``segm/..._segm.png``.

    Poses are the points of ``keypoints/keypoints_loc.txt`` and ``keypoints_vis.txt``. Photos without a label
    map, which show less than a whole body, are skipped.
    """

    def parts(self) -> list[Part]:
        """Return the only part.

        Raises:
            DataError: the photos are missing, or label maps or poses that are needed.
        """
        maps = use(
            "segmenter", "label_map", labels="deepfashion_multimodal", folder="../segm", suffix="_segm.png"
        )
        photos = photo_folder(self.config.root / "images")
        if self.config.segmenter is None and not (self.config.root / "segm").is_dir():
            raise DataError(f"{self.config.root / 'segm'}: no such folder; unpack it too, or set segmenter")
        return [Part("", photos, self.config.segmenter or maps, self.config.pose_encoder or self._poses())]

    def _poses(self) -> ComponentSpec:
        files = {
            "locations": self.config.root / "keypoints" / "keypoints_loc.txt",
            "visibility": self.config.root / "keypoints" / "keypoints_vis.txt",
        }
        for path in files.values():
            if not path.is_file():
                raise DataError(f"{path}: no such file; unpack the keypoints too, or set pose_encoder")
        return use("pose_encoder", "deepfashion_points", **files)
