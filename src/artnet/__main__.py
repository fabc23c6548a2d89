"""Run the `artnet` command by `python -m artnet`."""

from artnet.cli.main import main

if __name__ == "__main__":
    main()
