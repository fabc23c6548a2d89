"""Decode image files to upright sRGB, extract views and encode results."""
