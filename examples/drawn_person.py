"""Paint a drawn person: ``python examples/drawn_person.py [MODEL ...] -o person.png``.

Draws a person of 512x256 pixels that no data set contains, cuts the arms out, as a try-on
system does with long sleeves, and paints them with each model: run folders, checkpoints, exported files, or
models in the package. The picture shows the hole, what each model painted, and the truth.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import skinfw
from skinfw.data.body_parts import ZONES
from skinfw.data.body_zones import zones_of_pose
from skinfw.data.keypoints import Keypoints
from skinfw.data.segmentation import Segmentation
from skinfw_plugins.datasets.mannequin import CLASSES
from skinfw_plugins.datasets.mannequin.drawing import draw_person
from skinfw_plugins.segmenters.deepfashion_classes import REGIONS

SIZE = (512, 256)
HOLE = (127, 127, 127)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("models", nargs="*", default=["skinfw:street-painter"], metavar="MODEL")
parser.add_argument("-o", "--output", type=Path, default=Path("person.png"))
parser.add_argument("--seed", type=int, default=1_000_010, help="chooses the person")
arguments = parser.parse_args()

person = draw_person(arguments.seed, SIZE)
regions = {region: tuple(name for name in names if name in CLASSES) for region, names in REGIONS.items()}
labels = Segmentation(person.labels, CLASSES, regions)
pose = Keypoints(person.points)
zones = zones_of_pose(pose, SIZE)
if zones is None:
    raise SystemExit(f"the person of seed {arguments.seed} has no pose; choose another seed")
hole = labels.region("skin") & np.isin(zones, [ZONES.index("arm"), ZONES.index("hand")])

columns = [np.where(hole[..., None], np.uint8(HOLE), person.image)]
for model in arguments.models:
    painter = skinfw.Inpainter.load(model)
    painted = painter.paint(columns[0], hole, segmentation=labels, keypoints=pose)
    columns.append(painted.image)
columns.append(person.image)
Image.fromarray(np.concatenate(columns, axis=1)).save(arguments.output)
print(f"{arguments.output}: the hole, {', '.join(arguments.models)}, the truth")
