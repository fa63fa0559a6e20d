"""Where a stage's work runs: here, or on the nodes of a Ray cluster (machine.engine)."""
