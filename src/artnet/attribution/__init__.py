"""Explain a prediction: where in the image, at which depth and by which channels it is supported."""
