"""Train without a JSON file: ``python examples/compose.py [EPOCHS]``."""

import json
import sys

import skinfw

pipeline = skinfw.Pipeline(
    name="compose",
    data={"dataset": skinfw.use("dataset", "mannequins", count=200), "size": (64, 32)},
    generator=skinfw.use("generator", "pix2pix", base_channels=16),
    composite="skin",
    losses=[skinfw.use("loss", "l1", region="skin")],
    training={"epochs": int((sys.argv[1:] or ["3"])[0]), "batch_size": 8, "generator_lr": 1e-3},
    overwrite=True,
)
pipeline.fit()
metrics = json.loads(pipeline.run.metrics_path.read_text(encoding="utf-8"))
print(f"{metrics['test']['values']['trained']['skin/psnr']:.1f} dB on skin, {pipeline.run.report_path}")
