"""A folder, here or in a store, is walked in sorted order; what cannot be listed is an error in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from artnet.sources.listing import archive_lister, list_files
from artnet.sources.tar import tar_items
from artnet.sources.zip import zip_items
from fixtures.collections import upload

NAMES = ("a.jpg", "b.txt", "x/2.png", "x/inner/3.jpg", "y/1.tif")
HIDDEN = (".hidden.jpg", "x/._a.jpg", ".thumbs/a.jpg", "__MACOSX/a.jpg", "x/.git/a.jpg", "x/Thumbs.db")


@pytest.fixture(params=["here", "stored"])
def folder(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> str:
    for name in (*HIDDEN, *reversed(NAMES)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return str(tmp_path) if request.param == "here" else upload(tmp_path, f"{store}/mine")


def test_a_walk_is_sorted_and_passes_hidden_files_and_folders_over(folder: str) -> None:
    listed = list(list_files(folder))
    items = [item for item in listed if not item.is_hidden]
    assert [item.name for item in items] == [f"{folder}/{name}" for name in NAMES]
    assert [item.location.path for item in items if item.location] == [item.name for item in items]
    passed_over = [".hidden.jpg", ".thumbs", "__MACOSX", "x/._a.jpg", "x/Thumbs.db", "x/.git"]
    assert [item.name for item in listed if item.is_hidden] == [f"{folder}/{name}" for name in passed_over]


def test_a_folder_that_cannot_be_listed_costs_itself_alone(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    list_folder = MemoryFileSystem.ls

    def refuse(system: MemoryFileSystem, path: str, **options: object) -> object:
        if path.endswith("x"):
            raise PermissionError("not yours")
        return list_folder(system, path, **options)

    for name in NAMES:
        MemoryFileSystem().pipe(f"{store}/{name}", b"x")
    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    names = [(item.name.removeprefix(f"{store}/"), item.error is None) for item in list_files(store)]
    assert names == [("a.jpg", True), ("b.txt", True), ("x", False), ("y/1.tif", True)]


def test_an_archive_is_told_by_its_suffix() -> None:
    assert archive_lister("a/B.ZIP") is zip_items
    assert archive_lister("s3://a/b.tar.gz") is archive_lister("c.tzst") is tar_items
    assert archive_lister("a.jpg") is archive_lister("zip") is None
