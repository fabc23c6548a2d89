"""Export a trained run as a model folder."""
