from __future__ import annotations

import numpy as np
import torch

from skinfw.data.heatmaps import draw_heatmaps
from skinfw.data.keypoints import BODY_25, Keypoints
from skinfw.data.limbs import limbs_of_pose
from skinfw.testing.examples import example_batch, example_generator_io
from skinfw_plugins.datasets.mannequin import draw_person
from skinfw_plugins.generators.config import LimbsConfig
from skinfw_plugins.generators.limbs import LimbsGenerator, pose_of_heatmaps

INPUTS = ("apparel_head_foot", "face", "heatmaps", "mask")


def test_the_pose_is_read_from_heat_maps() -> None:
    pose = Keypoints(draw_person(3, (128, 64)).points)
    found = pose_of_heatmaps(draw_heatmaps(pose, (128, 64)).transpose(2, 0, 1).astype(np.float32) / 255)
    there = pose.found()
    assert np.array_equal(found.found(), there)
    assert np.abs(found.points[there, :2] - pose.points[there, :2]).max() <= 0.51


def test_limbs_are_strips_that_taper() -> None:
    points = np.zeros((25, 3), np.float32)
    for name, x, y in (("Neck", 30, 10), ("MidHip", 30, 60), ("RElbow", 10, 20), ("RWrist", 10, 50)):
        points[BODY_25.index(name)] = (x, y, 1)
    limbs = limbs_of_pose(Keypoints(points), (80, 60), width=1.0)
    assert limbs is not None
    # half the width is 0.08 of the trunk's 50 pixels at the elbow and 0.06 at the wrist
    assert limbs[20, 10 - 4 : 10 + 5].all() and limbs[20].sum() == 9
    assert limbs[45, 10 - 3 : 10 + 4].all() and limbs[45].sum() == 7
    assert not limbs[:, 25:].any()  # the trunk is not a limb
    assert limbs[60, 10] and not limbs[66, 10]  # the hand is 0.3 of the forearm, and round
    assert limbs_of_pose(Keypoints(np.zeros((25, 3), np.float32)), (80, 60)) is None


def test_alpha_is_the_limbs_within_the_mask_in_the_color_of_the_face() -> None:
    batch = example_batch(2, (64, 48))
    generator = LimbsGenerator(LimbsConfig(), example_generator_io((64, 48), INPUTS))
    output = generator(batch.condition(INPUTS))
    assert output.shape == (2, 4, 64, 48)
    alpha, mask = output[:, 3:], batch["mask"]
    assert set(alpha.unique().tolist()) == {0.0, 1.0}
    assert not ((alpha > 0) & (mask == 0)).any()
    face = batch["face"][0, 0] > 0.5
    assert torch.allclose(output[0, :3, 0, 0], batch["apparel_head_foot"][0][:, face].median(dim=1).values)
