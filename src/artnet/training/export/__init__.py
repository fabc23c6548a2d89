"""Export of a trained run as a model folder."""
