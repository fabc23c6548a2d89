"""Serve the REST API and the web page."""
