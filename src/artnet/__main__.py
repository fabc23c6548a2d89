"""The `artnet` command."""

from artnet.cli.signals import STOP


def main() -> None:
    """Run the command line; all that takes time to import comes after the signals are handled."""
    STOP.install()
    try:
        from artnet.cli.main import main as run_command

        run_command()
    finally:
        STOP.finish()


if __name__ == "__main__":
    main()
