"""Files, folders and patterns become pictures in the order named; one that holds none is told in its place."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.errors import ArtNetError, NoImagesError
from artnet.imaging.decode import SUFFIXES, Limits
from artnet.sources.find import find_items, holds_many
from artnet.sources.item import SourceRules
from fixtures.sources import kinds as kinds_of
from fixtures.web import HERE, busy, dying, endless, jpeg, manifest_3, send, serving, slow


def draw(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(*sources: Path | str) -> list[Path | str]:
    """List what is found, a failed source by its name."""
    return [one.name if one.error else Path(one.name) for one in find_items(map(str, sources))]


def test_a_file_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    draw(tmp_path, "painting.xyz")
    assert found(tmp_path / "painting.xyz") == [tmp_path / "painting.xyz"]


def test_a_missing_file_is_passed_on_for_its_reader_to_refuse(tmp_path: Path) -> None:
    assert found(tmp_path / "gone.jpg") == [tmp_path / "gone.jpg"]


def test_a_folder_gives_the_pictures_below_it_sorted(tmp_path: Path) -> None:
    draw(tmp_path, "b/2.png", "b/10.png", "c.jpg", "a.jpg", "b/inner/deep.webp", "a/x.tif")
    names = [str(path.relative_to(tmp_path)) for path in found(tmp_path)]
    assert names == ["a.jpg", "c.jpg", "a/x.tif", "b/10.png", "b/2.png", "b/inner/deep.webp"]


def test_a_folder_leaves_out_what_is_no_picture_by_its_suffix(tmp_path: Path) -> None:
    draw(tmp_path, "notes.txt", "table.csv", "no-suffix", "jpg", "upper.JPG", "mixed.TiFf")
    assert found(tmp_path) == [tmp_path / "mixed.TiFf", tmp_path / "upper.JPG"]


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_folder_gives_every_readable_suffix(suffix: str, tmp_path: Path) -> None:
    draw(tmp_path, f"one{suffix}")
    assert found(tmp_path) == [tmp_path / f"one{suffix}"]


def test_a_pattern_gives_the_files_that_match_sorted(tmp_path: Path) -> None:
    draw(tmp_path, "c-1.jpg", "a-2.jpg", "a-1.jpg", "a-1.dat", "sub.jpg/x.png")
    assert found(tmp_path / "*.jpg") == [tmp_path / "a-1.jpg", tmp_path / "a-2.jpg", tmp_path / "c-1.jpg"]
    assert found(tmp_path / "a-?.dat") == [tmp_path / "a-1.dat"]


def test_a_pattern_with_two_stars_reaches_every_depth(tmp_path: Path) -> None:
    draw(tmp_path, "one.jpg", "x/two.jpg", "x/y/three.jpg", "x/y/four.png")
    expected = [tmp_path / "one.jpg", tmp_path / "x/two.jpg", tmp_path / "x/y/three.jpg"]
    assert sorted(found(tmp_path / "**/*.jpg")) == expected


def test_a_pattern_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path, "x/one.jpg", "x/two.jpg")
    monkeypatch.chdir(tmp_path)
    assert found("x/*.jpg") == [Path("x/one.jpg"), Path("x/two.jpg")]


def test_the_order_named_is_kept(tmp_path: Path) -> None:
    draw(tmp_path, "z.jpg", "m/2.jpg", "m/1.jpg", "a.png")
    sources = (tmp_path / "z.jpg", tmp_path / "m", tmp_path / "*.png", tmp_path / "z.jpg")
    names = ["z.jpg", "m/1.jpg", "m/2.jpg", "a.png", "z.jpg"]
    assert found(*sources) == [tmp_path / name for name in names]


def test_an_empty_folder_gives_an_error_in_its_place_and_the_others_go_on(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "b.jpg", "empty/notes.txt")
    first, second, third = find_items([str(tmp_path / name) for name in ("a.jpg", "empty", "b.jpg")])
    assert (first.name, third.name) == (str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))
    assert second.name == str(tmp_path / "empty")
    assert isinstance(second.error, NoImagesError)
    assert str(second.error).startswith(f"{tmp_path / 'empty'}: holds no picture")


def test_a_pattern_that_matches_no_file_gives_an_error_in_its_place(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "folder.png/inner.txt")
    (failed, taken) = find_items([str(tmp_path / "*.png"), str(tmp_path / "a.jpg")])
    assert "matches no file" in str(failed.error)
    assert taken.name == str(tmp_path / "a.jpg")


@pytest.mark.parametrize("name", ["study [1].jpg", "what?.jpg", "star*.jpg", "[a-z].jpg"])
def test_a_name_with_pattern_characters_that_exists_is_taken_literally(name: str, tmp_path: Path) -> None:
    draw(tmp_path, name, "study 1.jpg", "whats.jpg", "starry.jpg", "b.jpg")
    assert found(tmp_path / name) == [tmp_path / name]
    assert not holds_many(str(tmp_path / name))


def test_a_folder_with_pattern_characters_in_its_name_is_walked(tmp_path: Path) -> None:
    draw(tmp_path, "[1920-1930]/a.jpg", "9/b.jpg")
    assert found(tmp_path / "[1920-1930]") == [tmp_path / "[1920-1930]/a.jpg"]


def test_a_folder_that_links_to_itself_is_walked_once(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg", "sub/b.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "sub/up").symlink_to(tmp_path)
    assert found(tmp_path) == [tmp_path / "a.jpg", tmp_path / "sub/b.jpg"]


def test_a_pattern_with_two_stars_takes_a_folder_that_links_to_itself_once(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)  # a second such link would double the work at each of forty depths
    assert found(tmp_path / "**/*.jpg") == [tmp_path / "a.jpg"]


def test_a_link_to_a_picture_is_a_picture(tmp_path: Path) -> None:
    draw(tmp_path, "real/a.jpg", "linked/notes.txt")
    (tmp_path / "linked/b.jpg").symlink_to(tmp_path / "real/a.jpg")
    assert found(tmp_path / "linked") == [tmp_path / "linked/b.jpg"]


def test_sources_are_looked_at_one_by_one(tmp_path: Path) -> None:
    pictures = find_items(str(tmp_path / name) for name in iter(["first.jpg", "second.jpg"]))
    assert next(pictures).name == str(tmp_path / "first.jpg")
    draw(tmp_path, "second.jpg/late.png")  # becomes a folder only after the first picture was handed out
    assert [one.name for one in pictures] == [str(tmp_path / "second.jpg/late.png")]


def test_no_source_gives_no_picture() -> None:
    assert found() == []


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
    for name, one in zip(names, results, strict=True):
        assert one.name in (name, str(Path(name)))  # a pattern that matches nothing keeps its spelling
        with pytest.raises(ArtNetError):
            one.read()


def kinds(*sources: str, rules: SourceRules = HERE) -> list[str]:
    """Read what is found; give for each the kind of its error, or that it was read."""
    return kinds_of(find_items(sources, rules), rules)


def test_a_picture_on_the_web_is_fetched_when_it_is_read() -> None:
    with serving() as site:
        (one,) = find_items([site.put("/a.jpg", jpeg())], HERE)
        assert site.requests == []
        assert one.read(HERE) == jpeg()


def test_an_address_without_an_ending_is_asked_once_what_it_is() -> None:
    with serving() as site:
        (one,) = find_items([site.put("/picture?id=7", jpeg())], HERE)
        assert one.read(HERE) == jpeg()
        assert site.requests == ["/picture?id=7"]


def test_a_private_address_is_refused_unless_it_is_allowed() -> None:
    with serving() as site:
        addresses = [site.put("/a.jpg", jpeg()), site.put("/manifest", {"type": "Manifest"})]
        assert kinds(*addresses, rules=SourceRules()) == ["address-refused"] * 2
        assert site.requests == []


@pytest.mark.parametrize("answer", [dying, slow])
def test_a_server_that_dies_or_is_slow_costs_its_picture_alone(answer: Callable[..., None]) -> None:
    with serving() as site:
        bad, good = site.put("/bad.jpg", answer), site.put("/good.jpg", jpeg())
        assert kinds(bad, good, rules=replace(HERE, timeout_s=0.5)) == ["address", "read"]


def test_a_busy_server_is_asked_again_for_a_picture_and_for_a_manifest() -> None:
    with serving() as site:
        once = {"Retry_After": "0"}
        picture = site.put("/a.jpg", busy(1, **once))
        manifest = manifest_3(f"{site.url}/m", [{"id": picture, "type": "Image", "format": "image/jpeg"}])
        listed = site.put("/m", busy(1, data=json.dumps(manifest).encode(), **once))
        assert kinds(picture, listed) == ["read", "read"]
        assert sorted(site.requests) == ["/a.jpg"] * 3 + ["/m"] * 2


def test_a_server_that_declares_too_much_or_sends_for_ever_is_cut_off() -> None:
    rules = replace(HERE, limits=Limits(size_bytes=10**6))
    with serving() as site:
        declared = site.put("/big.jpg", lambda handler: send(handler, b"x", 10**9))
        assert kinds(declared, site.put("/endless.jpg", endless), rules=rules) == ["too-large"] * 2


def test_a_server_that_declares_fewer_bytes_than_it_sends_gives_what_it_declared() -> None:
    with serving() as site:
        (one,) = find_items([site.put("/a.jpg", lambda handler: send(handler, b"x" * 100, 50))], HERE)
        assert one.read(HERE) == b"x" * 50


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "parquet", "csv"])
def test_archives_on_the_web_are_refused_in_words(ending: str) -> None:
    (one,) = find_items([f"https://example.org/all.{ending}"])
    assert "download it first" in str(one.error)


def test_a_pattern_reaches_archives_and_lists(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("x.jpg", b"x")
    (tmp_path / "c.zip").write_bytes(b"no archive")
    assert kinds(str(tmp_path / "*.zip")) == ["read", "read", "missing"]


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
    pictures = list(find_items([str(tmp_path)]))
    assert [os.fsencode(one.name).rpartition(b"/")[2] for one in pictures] == names
    assert [pickle.loads(pickle.dumps(one)).read() for one in pictures] == [b"x", b"x"]


def test_any_junk_gives_pictures_or_errors(tmp_path: Path) -> None:
    names = ["a.zip", "b.tar", "c.tgz", "d.parquet", "e.csv", "f.json", "g.txt", "h.jpg", "i.tar.zst", "j.tsv"]
    for name in names:
        (tmp_path / name).write_bytes(os.urandom(5000))
    assert "read" in kinds(str(tmp_path / "*"))


AWKWARD = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "awkward"


@pytest.mark.skipif(not AWKWARD.is_dir(), reason="needs ../shared/data/awkward, a folder of odd and broken pictures")
def test_a_folder_of_odd_and_broken_pictures_is_found_whole() -> None:
    found_there = list(find_items([str(AWKWARD)]))
    assert len(found_there) == len({one.name for one in found_there}) > 200
    assert all(one.error is None for one in found_there)
