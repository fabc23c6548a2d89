"""The network that is trained: backbone, heads, losses and freezing."""
