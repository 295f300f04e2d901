"""Training: the objective, the loop, checkpoints."""
