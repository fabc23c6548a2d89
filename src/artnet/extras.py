"""How the extras of ArtNet are installed where it runs."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname


def install_command(extra: str) -> str:
    """Return the command that installs an extra into this environment.

    ArtNet is on no package index, so the command names what ArtNet was installed from, as pip recorded it
    (https://packaging.python.org/en/latest/specifications/direct-url/). All shells understand double quotes.
    """
    origin = _origin()
    url, is_editable = str(origin.get("url", "")), origin.get("dir_info", {}).get("editable", False)
    folder = Path(url2pathname(urlsplit(url).path))
    if "vcs_info" in origin:
        return f'{_pip()} install "artnet[{extra}] @ {origin["vcs_info"]["vcs"]}+{url}"'
    if "dir_info" in origin and (folder / "pyproject.toml").is_file():
        return f'{_pip()} install {"-e " if is_editable else ""}"{folder}[{extra}]"'
    return f'{_pip()} install ".[{extra}]" in a clone of ArtNet'


def _origin() -> dict[str, Any]:
    try:
        recorded = distribution("artnet").read_text("direct_url.json")
    except PackageNotFoundError:  # imported from a folder that is not installed
        return {}
    return dict(json.loads(recorded or "{}"))


def _pip() -> str:
    """Return how to call the pip of this environment, which need not be the first on the path."""
    first = shutil.which("pip")
    is_ours = first is not None and Path(first).parent == Path(sys.executable).parent
    return "pip" if is_ours else f'"{sys.executable}" -m pip'
