"""Run the commands that docs pages show and write what they print today, e.g. after the model has changed.

    python docs/write_transcripts.py docs/collections.md docs/index.md docs/similar.md

Each indented block that begins with `$ ` is run, all blocks of a page in one shell, in a scratch folder that holds
`examples`; what it prints, on standard error too, takes the place of what stood there. Commands that end in & are
servers: they run until the page ends, and what they print goes to a file. A block with a line of three dots is left.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(?m)^    \$ .*\n(?:    .*\n)*")
MARK = "-- end of a command --"
WIDEST = 110
SERVERS_START_S = 8
# In float32, so that the page is the same wherever it was written.
EXACT = """artnet() {
    case $1 in classify | index | similar) command artnet "$@" --precision f32 ;; *) command artnet "$@" ;; esac
}"""


class Shell:
    """One shell for a page, so that a folder, a variable or a server of one block is there in the next."""

    def __init__(self, folder: Path, start: str = EXACT) -> None:
        settings = {**os.environ, "PYTHONWARNINGS": "ignore", "COLUMNS": str(WIDEST)}
        settings["PATH"] = f"{Path(sys.executable).parent}:{settings['PATH']}"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            ["/bin/bash"], cwd=folder, env=settings, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._send(start)

    def run(self, command: str) -> list[str]:
        """Run a command and give the lines that it prints."""
        if command.endswith("&"):
            self._send(f"{command[:-1]} > server-$RANDOM.log 2>&1 < /dev/null &")
            time.sleep(SERVERS_START_S)
            return []
        self._send(f"{command}\necho '{MARK}'")
        lines = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.rstrip("\n") == MARK:
                break
            lines += folded(line.rstrip("\n"))
        return lines

    def end(self) -> None:
        """End the shell and its servers."""
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()


def folded(line: str) -> list[str]:
    """Lay the scores of an answer on a line of their own where a page is too narrow for both."""
    answer, bracket, scores = line.partition("  [")
    return [answer, f"    [{scores}"] if bracket and len(line) > WIDEST else [line]


def commands(block: str) -> list[str]:
    """Return the commands of a block; one that holds an open quote continues on the next line."""
    found: list[str] = []
    for line in block.splitlines():
        text = line.removeprefix("    ")
        if text.startswith("$ "):
            found.append(text[2:])
        elif found and found[-1].count('"') % 2:
            found[-1] += "\n" + text
    return found


def rewritten(page: str, shell: Shell) -> str:
    """Run each block of a page and give the page with what they print."""

    def run(match: re.Match[str]) -> str:
        if re.search(r"(?m)^    \.\.\.$", match[0]):
            return match[0]
        lines: list[str] = []
        for command in commands(match[0]):
            first, *rest = command.split("\n")
            lines += [f"$ {first}", *rest, *shell.run(command)]
        return "".join(f"    {line}".rstrip() + "\n" for line in lines)

    return BLOCK.sub(run, page)


def main(pages: list[Path]) -> None:
    """Rewrite pages in place."""
    for page in pages:
        with tempfile.TemporaryDirectory() as name:
            shutil.copytree(ROOT / "examples", Path(name, "examples"))
            shell = Shell(Path(name))
            try:
                page.write_text(rewritten(page.read_text("utf-8"), shell), "utf-8")
            finally:
                shell.end()


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
