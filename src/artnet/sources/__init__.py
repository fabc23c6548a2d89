"""Turn what a user names into a lazy stream of images."""
