"""Photos, segmentations, keypoints and samples, and how they become training data."""
