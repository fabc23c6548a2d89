"""Classify or index many images, in order, locally or on Ray, with resume."""
