"""Train a classifier on a prepared dataset and export it as a model folder; the only package that needs torch."""
