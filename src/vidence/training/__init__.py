"""Training: one loop over packed trajectories, four stages of the paper's recipe; needs the extra `train`."""
