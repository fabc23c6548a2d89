"""What is hidden, and what systems leave, is passed over and counted wherever it lies, and never a failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from artnet.data.readers.detect import read_catalog
from artnet.sources.find import find_items
from fixtures.archives import packed_tar, packed_zip
from fixtures.collections import upload

LEFT = (
    *(".hidden.jpg", "._a.jpg", "x/._b.jpg", "x/.DS_Store", "Thumbs.db", "x/thumbs.db", "desktop.ini"),
    *("__MACOSX/a.jpg", "x/@eaDir/a.jpg", "$RECYCLE.BIN/a.jpg", "#recycle/a.jpg", "lost+found/a.jpg"),
)
FILES = dict.fromkeys(LEFT, b"left by a system") | {"a.jpg": b"A", "x/b.jpg": b"B"}


def laid_out(folder: Path) -> Path:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


SOURCES: dict[str, Callable[[Path, str], str]] = {
    "a folder": lambda folder, store: str(laid_out(folder / "mine")),
    "a pattern": lambda folder, store: f"{laid_out(folder / 'mine')}/**/*",
    "a store": lambda folder, store: upload(laid_out(folder / "mine"), f"{store}/mine"),
    "a pattern of a store": lambda folder, store: upload(laid_out(folder / "mine"), f"{store}/mine") + "/**",
    "a zip": lambda folder, store: written(folder / "mine.zip", packed_zip(FILES)),
    "a tar": lambda folder, store: written(folder / "mine.tar", packed_tar(FILES)),
    "a packed tar": lambda folder, store: written(folder / "mine.tgz", packed_tar(FILES, ".tgz")),
}


@pytest.mark.parametrize("source", SOURCES)
def test_it_is_passed_over_and_counted(source: str, store: str, tmp_path: Path) -> None:
    hidden: list[str] = []
    items = list(find_items([SOURCES[source](tmp_path, store)], on_hidden=hidden.append))
    assert sorted(item.read() for item in items) == [b"A", b"B"]
    assert len(hidden) == len(LEFT)


@pytest.mark.parametrize("end", ["\n", "\0"])
def test_a_list_of_all_files_leads_to_the_images_and_to_what_its_author_hid(end: str, tmp_path: Path) -> None:
    folder, hidden = laid_out(tmp_path / "mine"), list[str]()
    (folder / "list.txt").write_text("".join(f"./{name}{end}" for name in FILES))
    items = list(find_items([str(folder / "list.txt")], on_hidden=hidden.append))
    assert [Path(item.name).name for item in items] == [".hidden.jpg", "a.jpg", "b.jpg"]
    assert len(hidden) == len(LEFT) - 1


@pytest.mark.parametrize("name", ["mine", "mine.zip"])
def test_a_collection_counts_it(name: str, tmp_path: Path) -> None:
    laid_out(tmp_path / "mine")
    (tmp_path / "mine.zip").write_bytes(packed_zip(FILES))
    catalog = read_catalog(tmp_path / name)
    assert [record.source for record in catalog.records] == [f"{name}/x/b.jpg"]
    assert catalog.hidden_count == len(LEFT)


def test_a_folder_of_nothing_else_holds_no_image(tmp_path: Path) -> None:
    (tmp_path / "._a.jpg").touch()
    (item,) = find_items([str(tmp_path)])
    assert "holds no image" in str(item.error)
