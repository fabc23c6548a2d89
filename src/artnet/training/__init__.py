"""The half of ArtNet that makes models; needs `pip install 'artnet[train]'`."""
