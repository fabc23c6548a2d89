"""Evaluate a model on a prepared dataset."""
