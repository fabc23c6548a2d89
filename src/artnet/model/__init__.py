"""Read, check and run a model folder."""
