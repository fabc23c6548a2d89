"""Read the layouts in which collections of paintings are published."""
