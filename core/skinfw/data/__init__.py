"""Photos, segmentations, keypoints, samples and how they become training data."""
