"""What a training step sees: stored views, how often each is drawn, and how they are augmented and mixed."""
