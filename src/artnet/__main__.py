"""The `artnet` command."""

import sys

from artnet.cli.signals import STOP


def main() -> None:
    """Run the command line; all that takes time to import comes after the signals are handled."""
    try:
        STOP.install()
        from artnet.cli.main import main as run_command

        run_command()
    except BaseException:  # a SystemExit too: a library's handler may have raised it, as Ray's does at SIGTERM
        if not STOP.number:
            raise
        sys.exit(STOP.report())
    finally:
        STOP.finish()


if __name__ == "__main__":
    main()
