"""The `artnet` command: its entry, its options, what it prints, and how it is stopped."""
