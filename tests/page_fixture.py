"""A running `artnet app` and a real browser, for the tests of the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"  # a camera of moving colours
).split()


@dataclass(frozen=True)
class Site:
    """Where the page is, and the folder that the server takes for its temporary files."""

    address: str
    temporary: Path


@contextmanager
def served(temporary: Path, *options: str) -> Iterator[Site]:
    """Run `artnet app` on a free port until the end of the block."""
    command = [sys.executable, "-m", "artnet.cli", "app", "--port", "0", "--logs", "quiet", *options]
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    listening = threading.Thread(target=lambda: list(process.stderr), daemon=True)
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://[\d.]+:\d+", line):
                break
        else:
            raise AssertionError(f"artnet app ended: {''.join(said)}")
        listening.start()  # or the server would wait once the pipe is full
        yield Site(found.group(), temporary)
    finally:
        process.terminate()
        process.wait(20)
        if listening.ident:
            listening.join()
        process.stderr.close()


def chromium() -> str:
    """Find Chromium, or skip saying what would make the test run."""
    pytest.importorskip("playwright", reason="install playwright: pip install 'artnet[dev]'")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("ARTNET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium: install it (apt-get install chromium), or name it in ARTNET_CHROMIUM")
    return found


def axe_script() -> str:
    """Read axe-core, or skip saying what would make the test run."""
    path = Path(os.environ.get("ARTNET_AXE") or ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not path.is_file():
        pytest.skip("no axe-core: run npm install --no-save axe-core, or name its axe.min.js in ARTNET_AXE")
    return path.read_text(encoding="utf-8")


def ready(page: Any, address: str, part: str = "Look") -> None:
    """Open the page and wait until one of its four parts is alive."""
    page.goto(address)
    page.wait_for_selector(".look[data-ready]")
    if part != "Look":
        page.get_by_role("tab", name=part).click()
    if part != "About":
        page.wait_for_selector(f".{part.lower()}[data-ready]")


def evidence(page: Any, inside: str = ".look") -> None:
    """Wait for the evidence over the painting."""
    page.wait_for_selector(f"{inside} .evidence:not([hidden])")
    page.wait_for_selector(f"{inside}.busy", state="detached")
