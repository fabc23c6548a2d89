"""A model folder taught other classes or corrected: a linear head on its embeddings, without torch."""
