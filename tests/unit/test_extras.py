"""The command that installs an extra names what ArtNet was installed from."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from artnet.extras import install_command


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds the project, in an environment whose pip is the first on the path."""
    folder = tmp_path / "art net"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    for name in ("python", "pip", "pip.exe"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def record(clone: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Record an origin as pip does, before any other record of ArtNet."""
    records = clone.parent / "artnet-9.dist-info"
    records.mkdir()
    (records / "METADATA").write_text("Metadata-Version: 2.1\nName: artnet\nVersion: 9\n")
    monkeypatch.syspath_prepend(clone.parent)
    return lambda origin: (records / "direct_url.json").write_text(json.dumps(origin))


def test_an_editable_clone_is_installed_again_with_its_extra(clone: Path, record: Any) -> None:
    record({"url": clone.as_uri(), "dir_info": {"editable": True}})
    assert install_command("train") == f'pip install -e "{clone}[train]"'


def test_a_folder_is_installed_from_again(clone: Path, record: Any) -> None:
    record({"url": clone.as_uri(), "dir_info": {}})
    assert install_command("ray") == f'pip install "{clone}[ray]"'


def test_a_repository_is_installed_from_again(record: Any) -> None:
    record({"url": "https://example.org/artnet.git", "vcs_info": {"vcs": "git", "commit_id": "0"}})
    assert install_command("teach") == 'pip install "artnet[teach] @ git+https://example.org/artnet.git"'


def test_a_folder_that_is_gone_and_a_wheel_are_replaced_by_a_clone(clone: Path, record: Any) -> None:
    for origin in ({"url": f"{clone.as_uri()}-gone", "dir_info": {}}, {"url": "file:///a.whl", "archive_info": {}}):
        record(origin)
        assert install_command("heic") == 'pip install ".[heic]" in a clone of ArtNet'


def test_the_pip_of_another_environment_is_not_named(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(clone / "bin" / "python"))
    assert install_command("train").startswith(f'"{clone}{os.sep}bin{os.sep}python" -m pip install ')
