"""Ours beside the peers, in one process group, as ratios. Accuracy comes first: a missed gate fails the run."""
