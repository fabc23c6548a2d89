"""Turn explanations into images and files."""
