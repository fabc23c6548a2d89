"""The `site` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import print_line
from artnet.cli.options import Model


def site(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write, for any web server.")],
    model: Model = None,
    onnxruntime_web: Annotated[
        Path | None,
        typer.Option("--onnxruntime-web", metavar="FOLDER", help="onnxruntime-web's files; else npm downloads them."),
    ] = None,
    webgpu: Annotated[
        bool, typer.Option("--webgpu", help="Also write the 27 MB with which browsers use a graphics processor.")
    ] = False,
) -> int:
    """Write the page as static files that compute in the visitor's browser."""
    from artnet.serving.web.static_site import write_site

    size_bytes = write_site(out, model, onnxruntime_web, webgpu)
    print_line(f"{out}: {size_bytes / 1e6:.1f} MB; try it with: python -m http.server -d {out}")
    return 0
