"""Write the transcripts of docs/teach.md, with the corrections that a browser makes between two of its commands.

    python docs/write_teach.py

What is behind a `$` is run, in a scratch folder that holds `examples`; at the mark, the model of the page's commands
is opened in a browser, and two answers are corrected as the page describes. Needs playwright and a Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from write_transcripts import ROOT, Shell, rewritten

sys.path.insert(0, str(ROOT / "tests"))

from fixtures.correcting import correct_in_look, correct_in_many, look_at, take_away
from fixtures.page import FLAGS, chromium, ready, served

PAGE = ROOT / "docs" / "teach.md"
MARK = "<!-- in the browser -->"


def correct_in_page(folder: Path) -> None:
    """Correct two answers of the taught model and save the table."""
    with served(folder, "--model", str(folder / "my-model")) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page()
        ready(page, site.address)
        look_at(page, folder / "new" / "rings-11.png")
        correct_in_look(page, "Rings", new=True)
        correct_in_many(page, folder / "new" / "grids-11.png", "Lines")
        take_away(page, folder / "corrections.csv")
        browser.close()


def main() -> None:
    """Rewrite the page in place."""
    before, after = PAGE.read_text("utf-8").split(MARK)
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "examples", Path(name, "examples"))
        shell = Shell(Path(name), "")
        try:
            before = rewritten(before, shell)
            correct_in_page(Path(name))
            after = rewritten(after, shell)
        finally:
            shell.end()
    PAGE.write_text(f"{before}{MARK}{after}", "utf-8")


if __name__ == "__main__":
    main()
