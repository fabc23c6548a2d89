"""Output of the commands on real files and terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_results_reach_a_file_while_progress_shows_on_a_terminal(painting_file: Path, tmp_path: Path) -> None:
    terminal, ours = os.openpty()
    command = [sys.executable, "-m", "artnet", "classify", str(painting_file), "--json"]
    with (tmp_path / "out.json").open("wb") as file:
        done = subprocess.run(command, stdout=file, stderr=ours, check=False)
    os.close(ours)
    os.close(terminal)
    assert done.returncode == 0
    assert json.loads((tmp_path / "out.json").read_text())["source"] == str(painting_file)


def test_a_name_that_the_terminals_encoding_lacks_is_escaped(painting_file: Path) -> None:
    odd = painting_file.rename(painting_file.with_name("日本é.png"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "artnet", "classify", str(odd)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "\\u65e5" in done.stdout
