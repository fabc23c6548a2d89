"""The `artnet` command line: its commands, and how their errors become messages and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from artnet import __version__
from artnet.cli.commands.app import serve_app
from artnet.cli.commands.audit_labels import audit_labels
from artnet.cli.commands.classify import classify
from artnet.cli.commands.evaluate import evaluate
from artnet.cli.commands.explain import explain
from artnet.cli.commands.export import export
from artnet.cli.commands.index import index
from artnet.cli.commands.info import info
from artnet.cli.commands.prepare import prepare
from artnet.cli.commands.similar import similar
from artnet.cli.commands.site import site
from artnet.cli.commands.teach import teach
from artnet.cli.commands.train import train
from artnet.cli.console import escape_unencodable, print_line, print_message, print_warnings
from artnet.cli.signals import STOP
from artnet.errors import ArtNetError, StoppedError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help is printed in half the time
    pretty_exceptions_enable=False,
    help="Classify modern paintings by movement, with calibrated confidence and explanations.",
)
app.command("app")(serve_app)
for command in (classify, explain, index, similar, prepare, audit_labels, teach, train, evaluate, export, site, info):
    app.command()(command)


def main() -> None:
    """Run the command line; an error that a user can meet becomes one sentence and an exit code."""
    import warnings

    escape_unencodable()
    print_warnings()
    warnings.filterwarnings("ignore", module="PIL")  # our own errors say what is wrong with a damaged file
    code, message = _run()
    if STOP.number or code == StoppedError.exit_code:  # whatever else a stopped command complains of
        sys.exit(STOP.report(message if code == StoppedError.exit_code else ""))
    if message:
        print_message(f"artnet: {message}")
    sys.exit(code)


def _run() -> tuple[int, str]:
    """Run the command; return its exit code and what there is to say of it."""
    try:
        return app(standalone_mode=False) or 0, ""
    except ArtNetError as error:
        return error.exit_code, str(error)
    except (KeyboardInterrupt, typer.Abort):
        return StoppedError.exit_code, ""
    except Exception as error:
        if hasattr(error, "format_message"):  # Typer's own usage errors have it
            return getattr(error, "exit_code", 2), error.format_message()
        raise


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Classify modern paintings by movement, with calibrated confidence and explanations."""
    if show_version:
        print_line(__version__)
        raise typer.Exit
