"""Hidden files are passed over, whether a folder is walked or a pattern matches them."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.errors import SourceError
from artnet.sources.find import find_items
from artnet.sources.local import is_image_name, local_names

HIDDEN = (".hidden.jpg", "x/._a.jpg", ".thumbs/a.jpg", "__MACOSX/a.jpg", "x/.git/a.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*HIDDEN, "a.jpg", "x/a.jpg", "x/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "is_image"),
    [
        ("a.JPG", True),
        ("x/a.tif", True),
        ("../a.png", True),
        (".a.jpg", False),
        ("x\\.thumbs\\a.jpg", False),
        ("__MACOSX/a.jpg", False),
        ("a", False),
    ],
)
def test_an_image_is_told_by_its_name(name: str, is_image: bool) -> None:
    assert is_image_name(name) is is_image


@pytest.mark.parametrize("pattern", ["**/*.jpg", "**/*a.jpg"])
def test_a_pattern_passes_hidden_files_and_folders_over(pattern: str, folder: Path) -> None:
    names = [item.name for item in find_items([str(folder / pattern)])]
    assert names == [str(folder / name) for name in ("a.jpg", "x/a.jpg")]


@pytest.mark.parametrize(
    ("pattern", "name"), [(".*.jpg", ".hidden.jpg"), ("x/.git/*", "x/.git/a.jpg"), ("__MACOSX/*", "__MACOSX/a.jpg")]
)
def test_a_pattern_that_asks_for_hidden_files_gets_them(pattern: str, name: str, folder: Path) -> None:
    assert [item.name for item in find_items([str(folder / pattern)])] == [str(folder / name)]


@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_file_that_is_named_itself_is_taken(name: str, folder: Path) -> None:
    (item,) = find_items([str(folder / name)])
    assert item.error is None


def test_a_folder_below_a_hidden_one_is_walked(folder: Path) -> None:
    (item,) = find_items([str(folder / ".thumbs")])
    assert item.name == str(folder / ".thumbs" / "a.jpg")


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone: cannot be listed"):
        local_names(str(tmp_path / "gone"))
