"""The trained network: backbone, heads, loss and what of it is trained."""
