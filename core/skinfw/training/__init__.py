"""Training: the loop, optimizers, losses, several processes."""
