"""The static site: what is written, from where its runtime comes, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from artnet.errors import MissingExtraError, ModelError, OutputError, SourceError
from artnet.model.config import OOD_FILE, default_model
from artnet.serving.web.static_site import RUNTIME_FILES, write_site


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A folder that stands in for onnxruntime-web's."""
    folder = tmp_path / "onnxruntime-web"
    folder.mkdir()
    for name in RUNTIME_FILES:
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_site_holds_the_page_the_model_its_runtime_and_the_examples(tmp_path: Path, runtime: Path) -> None:
    out = tmp_path / "deep" / "site"
    size_bytes = write_site(out, onnxruntime_web=runtime)
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    assert size_bytes == sum(path.stat().st_size for path in files.values())
    assert {"index.html", "style.css", "model/config.json", "model/README.md", "examples/faceted.jpg"} <= files.keys()
    assert files["model/model.onnx"].read_bytes() == (default_model() / "model.onnx").read_bytes()
    assert "backend-browser.js" in files["backend.js"].read_text("utf-8")
    assert "backend-server.js" not in files


def test_ood_statistics_are_those_of_the_model(tmp_path: Path, runtime: Path) -> None:
    write_site(tmp_path / "site", onnxruntime_web=runtime)
    written = json.loads((tmp_path / "site/model/ood.json").read_text("utf-8"))
    with np.load(default_model() / OOD_FILE) as arrays:
        for name, array in arrays.items():
            values = np.frombuffer(base64.b64decode(written[name]["data"]), "<f4").reshape(written[name]["shape"])
            np.testing.assert_array_equal(values, array)


def service_worker(site: Path, runtime: Path) -> tuple[dict[str, str], list[str]]:
    """Write a site and return its files' digests, and those files that its service worker installs."""
    write_site(site, onnxruntime_web=runtime)
    lines = (site / "service-worker.js").read_text("utf-8").splitlines()
    return json.loads(lines[0].removeprefix("const FILES = ")[:-1]), json.loads(
        lines[1].removeprefix("const SMALL = ")[:-1]
    )


def test_the_service_worker_lists_every_file_and_changes_with_them(tmp_path: Path, runtime: Path) -> None:
    site = tmp_path / "site"
    files, _ = service_worker(site, runtime)
    present = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert files.keys() == {"./", *present - {"service-worker.js", "index.html"}}
    assert service_worker(site, runtime)[0] == files
    (runtime / RUNTIME_FILES[0]).write_bytes(b"another")
    changed, _ = service_worker(site, runtime)
    assert {name for name in files if files[name] != changed[name]} == {f"onnxruntime/{RUNTIME_FILES[0]}"}


def test_the_service_worker_installs_the_page_and_no_large_file(tmp_path: Path, runtime: Path) -> None:
    (runtime / RUNTIME_FILES[-1]).write_bytes(b"0" * 2**20)
    files, small = service_worker(tmp_path / "site", runtime)
    assert {"./", "app.js", "graph/worker.js", "model/config.json", "examples/faceted.jpg"} <= set(small)
    assert files.keys() - set(small) == {"model/model.onnx", "model/ood.json", f"onnxruntime/{RUNTIME_FILES[-1]}"}


def test_an_earlier_site_is_replaced_and_anything_else_refused(tmp_path: Path, runtime: Path) -> None:
    out = tmp_path / "site"
    write_site(out, onnxruntime_web=runtime)
    (out / "left.txt").write_text("old")
    write_site(out, onnxruntime_web=runtime)
    assert not (out / "left.txt").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="not a site that artnet wrote"):
        write_site(mine, onnxruntime_web=runtime)
    assert (mine / "letter.txt").read_text() == "dear"


def test_a_runtime_without_a_file_is_refused_and_nothing_is_left(tmp_path: Path, runtime: Path) -> None:
    (runtime / RUNTIME_FILES[-1]).unlink()
    with pytest.raises(SourceError, match=RUNTIME_FILES[-1]):
        write_site(tmp_path / "site", onnxruntime_web=runtime)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["onnxruntime-web"]


def test_a_missing_model_folder_is_refused(tmp_path: Path, runtime: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        write_site(tmp_path / "site", tmp_path / "nothing", runtime)


def test_without_npm_the_command_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="--onnxruntime-web FOLDER"):
        write_site(tmp_path / "site")


@pytest.mark.parametrize(("script", "message"), [("exit 1", "could not download"), ("PACK", "not the known package")])
def test_a_package_that_cannot_be_trusted_is_not_used(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{script.replace('PACK', 'echo altered > $5/onnxruntime-web.tgz')}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    with pytest.raises(SourceError, match=message):
        write_site(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_command_says_how_large_the_site_is_and_how_to_try_it(tmp_path: Path, runtime: Path) -> None:
    command = [sys.executable, "-m", "artnet", "site", str(tmp_path / "site"), "--onnxruntime-web", str(runtime)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "python -m http.server -d" in done.stdout
    graph = hashlib.sha256((tmp_path / "site/model/model.onnx").read_bytes()).hexdigest()
    assert json.loads((tmp_path / "site/model/config.json").read_text("utf-8"))["graph_sha256"] == graph
