"""Prepare a collection as an audited dataset with leakage-free splits."""
