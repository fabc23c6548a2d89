"""The `artnet` command: parse options, call one function, print."""
