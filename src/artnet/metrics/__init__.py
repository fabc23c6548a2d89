"""Compute classification, calibration and ranking metrics from labels and scores, with bootstrap intervals."""
