"""Files, folders and patterns become items in the order named; one that yields none is an error in its place."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.errors import ArtNetError, NoImagesError
from artnet.imaging.decode import SUFFIXES
from artnet.sources.find import find_items, holds_many
from fixtures.sources import kinds


def draw(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def items_in(*sources: Path | str) -> list[Path | str]:
    """Return the paths of items, a failed source by its name."""
    return [item.name if item.error else Path(item.name) for item in find_items(map(str, sources))]


def test_a_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    draw(tmp_path, "painting.xyz")
    assert items_in(tmp_path / "painting.xyz") == [tmp_path / "painting.xyz"]


def test_a_missing_file_is_passed_on_for_its_reader_to_refuse(tmp_path: Path) -> None:
    assert items_in(tmp_path / "gone.jpg") == [tmp_path / "gone.jpg"]


def test_a_folder_gives_the_pictures_below_it_sorted(tmp_path: Path) -> None:
    draw(tmp_path, "b/2.png", "b/10.png", "c.jpg", "a.jpg", "b/inner/deep.webp", "a/x.tif")
    names = [str(path.relative_to(tmp_path)) for path in items_in(tmp_path)]
    assert names == ["a.jpg", "c.jpg", "a/x.tif", "b/10.png", "b/2.png", "b/inner/deep.webp"]


def test_a_folder_leaves_out_what_is_no_picture_by_its_suffix(tmp_path: Path) -> None:
    draw(tmp_path, "notes.txt", "table.csv", "no-suffix", "jpg", "upper.JPG", "mixed.TiFf")
    assert items_in(tmp_path) == [tmp_path / "mixed.TiFf", tmp_path / "upper.JPG"]


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_folder_gives_every_readable_suffix(suffix: str, tmp_path: Path) -> None:
    draw(tmp_path, f"item{suffix}")
    assert items_in(tmp_path) == [tmp_path / f"item{suffix}"]


def test_a_pattern_gives_the_files_that_match_sorted(tmp_path: Path) -> None:
    draw(tmp_path, "c-1.jpg", "a-2.jpg", "a-1.jpg", "a-1.dat", "sub.jpg/x.png")
    assert items_in(tmp_path / "*.jpg") == [tmp_path / "a-1.jpg", tmp_path / "a-2.jpg", tmp_path / "c-1.jpg"]
    assert items_in(tmp_path / "a-?.dat") == [tmp_path / "a-1.dat"]


def test_a_pattern_with_two_stars_reaches_every_depth(tmp_path: Path) -> None:
    draw(tmp_path, "item.jpg", "x/two.jpg", "x/y/three.jpg", "x/y/four.png")
    expected = [tmp_path / "item.jpg", tmp_path / "x/two.jpg", tmp_path / "x/y/three.jpg"]
    assert sorted(items_in(tmp_path / "**/*.jpg")) == expected


def test_a_pattern_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path, "x/item.jpg", "x/two.jpg")
    monkeypatch.chdir(tmp_path)
    assert items_in("x/*.jpg") == [Path("x/item.jpg"), Path("x/two.jpg")]


def test_the_order_named_is_kept(tmp_path: Path) -> None:
    draw(tmp_path, "z.jpg", "m/2.jpg", "m/1.jpg", "a.png")
    sources = (tmp_path / "z.jpg", tmp_path / "m", tmp_path / "*.png", tmp_path / "z.jpg")
    names = ["z.jpg", "m/1.jpg", "m/2.jpg", "a.png", "z.jpg"]
    assert items_in(*sources) == [tmp_path / name for name in names]


def test_an_empty_folder_gives_an_error_in_its_place_and_the_others_go_on(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "b.jpg", "empty/notes.txt")
    first, second, third = find_items([str(tmp_path / name) for name in ("a.jpg", "empty", "b.jpg")])
    assert (first.name, third.name) == (str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))
    assert second.name == str(tmp_path / "empty")
    assert isinstance(second.error, NoImagesError)
    assert str(second.error).startswith(f"{tmp_path / 'empty'}: holds no image")


def test_a_pattern_that_matches_no_file_gives_an_error_in_its_place(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "folder.png/inner.txt")
    (failed, taken) = find_items([str(tmp_path / "*.png"), str(tmp_path / "a.jpg")])
    assert "matches no file" in str(failed.error)
    assert taken.name == str(tmp_path / "a.jpg")


@pytest.mark.parametrize("name", ["study [1].jpg", "what?.jpg", "star*.jpg", "[a-z].jpg"])
def test_a_name_with_pattern_characters_that_exists_is_taken_literally(name: str, tmp_path: Path) -> None:
    draw(tmp_path, name, "study 1.jpg", "whats.jpg", "starry.jpg", "b.jpg")
    assert items_in(tmp_path / name) == [tmp_path / name]
    assert not holds_many(str(tmp_path / name))


def test_a_folder_with_pattern_characters_in_its_name_is_walked(tmp_path: Path) -> None:
    draw(tmp_path, "[1920-1930]/a.jpg", "9/b.jpg")
    assert items_in(tmp_path / "[1920-1930]") == [tmp_path / "[1920-1930]/a.jpg"]


def test_a_folder_that_links_to_itself_is_walked_once(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "sub/b.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "sub/up").symlink_to(tmp_path)
    assert items_in(tmp_path) == [tmp_path / "a.jpg", tmp_path / "sub/b.jpg"]


def test_a_pattern_with_two_stars_takes_a_folder_that_links_to_itself_once(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)  # a second such link would double the work at each of forty depths
    assert items_in(tmp_path / "**/*.jpg") == [tmp_path / "a.jpg"]


def test_a_link_to_a_picture_is_a_picture(tmp_path: Path) -> None:
    draw(tmp_path, "real/a.jpg", "linked/notes.txt")
    (tmp_path / "linked/b.jpg").symlink_to(tmp_path / "real/a.jpg")
    assert items_in(tmp_path / "linked") == [tmp_path / "linked/b.jpg"]


def test_sources_are_looked_at_one_by_one(tmp_path: Path) -> None:
    items = find_items(str(tmp_path / name) for name in iter(["first.jpg", "second.jpg"]))
    assert next(items).name == str(tmp_path / "first.jpg")
    draw(tmp_path, "second.jpg/late.png")  # becomes a folder only after the first picture was handed out
    assert [item.name for item in items] == [str(tmp_path / "second.jpg/late.png")]


def test_no_source_gives_no_picture() -> None:
    assert items_in() == []


@pytest.mark.parametrize(
    ("source", "many"), [("", True), ("*.jpg", True), ("[ab].jpg", True), ("a.jpg", False), ("gone.jpg", False)]
)
def test_a_folder_or_pattern_may_hold_many(source: str, many: bool, tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    assert holds_many(f"{tmp_path}/{source}") is many


@pytest.mark.parametrize("name", ["a" * 300 + ".jpg", "a" * 300 + "*.jpg", "nul\0.jpg", "nul\0*.jpg", "a.jpg/b.jpg"])
def test_a_name_that_no_file_can_have_stops_no_other(name: str, tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    first, second = find_items([str(tmp_path / name), str(tmp_path / "a.jpg")])
    assert second.name == str(tmp_path / "a.jpg")
    assert first.name == str(tmp_path / name)


@given(st.lists(st.text(max_size=300).map("no such folder/".__add__), max_size=4))
@settings(deadline=None, max_examples=60)
def test_any_names_give_paths_or_errors_one_for_each(names: list[str]) -> None:
    results = list(find_items(names))
    assert len(results) == len(names)
    for name, item in zip(names, results, strict=True):
        assert item.name in (name, str(Path(name)))  # a pattern that matches nothing keeps its spelling
        with pytest.raises(ArtNetError):
            item.read()


def test_a_pattern_reaches_archives_and_lists(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("x.jpg", b"x")
    (tmp_path / "c.zip").write_bytes(b"no archive")
    assert kinds(find_items([str(tmp_path / "*.zip")])) == ["read", "read", "missing"]


@pytest.mark.parametrize(
    ("source", "many"),
    [
        *(
            (name, True)
            for name in ("a.zip", "a.tar.gz", "a.parquet", "a.csv", "a.json", "https://example.org/manifest")
        ),
        *((name, False) for name in ("a.jpg", "https://example.org/a.jpg?x=1", "file:///a.jpg")),
    ],
)
def test_what_may_hold_many_is_told_by_its_name(source: str, many: bool) -> None:
    assert holds_many(source) is many


def test_names_with_newlines_and_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    names = [b"a\nb.jpg", b"\xff\xfe.jpg"]
    for name in names:
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"x")
    items = list(find_items([str(tmp_path)]))
    assert [os.fsencode(item.name).rpartition(b"/")[2] for item in items] == names
    assert [pickle.loads(pickle.dumps(item)).read() for item in items] == [b"x", b"x"]


def test_any_junk_gives_pictures_or_errors(tmp_path: Path) -> None:
    names = ["a.zip", "b.tar", "c.tgz", "d.parquet", "e.csv", "f.json", "g.txt", "h.jpg", "i.tar.zst", "j.tsv"]
    for name in names:
        (tmp_path / name).write_bytes(os.urandom(5000))
    assert "read" in kinds(find_items([str(tmp_path / "*")]))


AWKWARD = Path(__file__).parents[4] / "shared" / "data" / "awkward"


@pytest.mark.skipif(not AWKWARD.is_dir(), reason="needs ../shared/data/awkward, a folder of odd and broken items")
def test_a_folder_of_odd_and_broken_pictures_is_found_whole() -> None:
    items = list(find_items([str(AWKWARD)]))
    assert len(items) == len({item.name for item in items}) > 200
    assert all(item.error is None for item in items)
