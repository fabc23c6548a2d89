"""`artnet app`, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.serving import FORM, form

WITHOUT_PAGE = (
    "import sys\n"
    "class Refuse:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name.split('.')[0] in ('torch', 'onnx', 'timm'):\n"
    "            raise ImportError(name)\n"
    "sys.meta_path.insert(0, Refuse())\n"
    "from artnet.cli.main import main\n"
    "main()\n"
)


@contextmanager
def app(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", WITHOUT_PAGE, "app", "--api-only", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        while not (found := re.search(r"artnet: (http://\S+)", process.stderr.readline())):
            assert process.poll() is None
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def get(url: str, data: bytes | None = None) -> dict:
    request = urllib.request.Request(url, data, {"Content-Type": FORM} if data else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def test_the_api_is_served_without_torch(painting_file: Path) -> None:
    with app("--precision", "f32") as (process, url):
        assert get(f"{url}/v1/classify", form(painting_file.read_bytes()))["source"] == "a.png"
        assert get(f"{url}/v1/model")["limits"]["addresses"] is True
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_limits_and_logs_are_those_that_were_asked_for() -> None:
    options = ["--max-mb", "3", "--max-megapixels", "5", "--timeout-s", "7", "--no-allow-urls", "--logs", "json"]
    with app(*options) as (process, url):
        found = get(f"{url}/v1/model")["limits"]
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=20)
    assert found == {"size_bytes": 3 * 2**20, "pixels": 5_000_000, "timeout_s": 7.0, "addresses": False}
    entries = [json.loads(line) for line in logged.splitlines()]
    assert any(entry.get("path") == "/v1/model" and entry["status"] == 200 for entry in entries)


def test_addresses_are_off_where_others_can_connect() -> None:
    with app("--host", "0.0.0.0") as (_, url):
        assert get(f"{url}/v1/model")["limits"]["addresses"] is False


def test_a_killed_server_leaves_no_files_and_its_port_to_the_next(tmp_path: Path, painting_file: Path) -> None:
    os.environ["TMPDIR"] = str(tmp_path)
    try:
        with app() as (process, url):
            get(f"{url}/v1/explain", form(painting_file.read_bytes(), format="json"))
            process.kill()
            process.wait(20)
    finally:
        del os.environ["TMPDIR"]
    port = url.rsplit(":", 1)[1]
    assert list(tmp_path.iterdir()) == [painting_file]
    begun = time.monotonic()
    command = [sys.executable, "-m", "artnet", "app", "--api-only", "--port", port]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as again:
        assert again.stderr is not None
        assert url in again.stderr.readline()
        again.kill()
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("options", [["--port", "99999"], ["--host", "192.0.2.1"], ["--concurrency", "0"]])
def test_places_and_numbers_that_cannot_be_are_refused_before_anything_is_loaded(options: list[str]) -> None:
    command = [sys.executable, "-m", "artnet", "app", "--api-only", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
