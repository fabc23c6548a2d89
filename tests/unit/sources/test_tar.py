"""A tar archive, plain or compressed, yields its images in order without touching a disk."""

from __future__ import annotations

import os
import pickle
import tarfile
import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.imaging.decode import Limits
from artnet.sources.find import find_items
from artnet.sources.item import InMemory, SourceRules
from artnet.sources.tar import tar_items
from fixtures.archives import packed_tar as packed
from fixtures.sources import items_in, kinds

WORKS = {"a.jpg": os.urandom(700), "x/b.png": os.urandom(512), "notes.txt": b"none", "x/c.tif": b"C" * 5000}
ENDINGS = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_members_are_read_in_the_archives_order_however_it_is_packed(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"all{ending}"
    items = items_in(path, packed(WORKS, ending))
    assert [item.name for item in items] == [f"{path}/{name}" for name in ("a.jpg", "x/b.png", "x/c.tif")]
    assert [pickle.loads(pickle.dumps(item)).read() for item in items] == [
        data for name, data in WORKS.items() if name != "notes.txt"
    ]


def test_only_packed_members_carry_their_bytes(tmp_path: Path) -> None:
    assert not isinstance(items_in(tmp_path / "a.tar", packed(WORKS))[0].location, InMemory)
    assert isinstance(items_in(tmp_path / "a.tgz", packed(WORKS, ".tgz"))[0].location, InMemory)


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "/etc/x.jpg", "a\nb.jpg", "naïve.jpg", "n" * 300 + ".jpg", "\udcff.jpg"]
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_name_is_only_a_name(name: str, form: int, tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "all.tar", packed({name: b"picture"}, form=form))
    assert item.name == f"{tmp_path}/all.tar/{name}"
    assert item.read() == b"picture"
    assert [path.name for path in tmp_path.iterdir()] == ["all.tar"]


def test_two_members_of_one_name_are_two_pictures_of_two_names(tmp_path: Path) -> None:
    data = packed({"a.jpg": b"first"})[:1024] + packed({"a.jpg": b"second"})
    first, second = items_in(tmp_path / "all.tar", data)
    assert (first.read(), second.read()) == (b"first", b"second")
    assert first.name != second.name


def test_a_link_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (
            ("link.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("pipe.jpg", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert kinds(items_in(tmp_path / "all.tar", file.getvalue() + packed({"a.jpg": b"A"}))) == ["missing"] * 3
    joined = file.getvalue().rstrip(b"\0") + bytes(-len(file.getvalue().rstrip(b"\0")) % 512)
    assert kinds(items_in(tmp_path / "all.tar", joined + packed({"a.jpg": b"A"}))) == ["missing"] * 3 + ["read"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_cut_short_gives_what_stands_before_the_cut(ending: str, tmp_path: Path) -> None:
    size = 150_000 if ending in (".tar.bz2", ".tar.zst") else 15_000  # which pack blocks of 900 and 128 kB
    data = packed({f"{number}.jpg": os.urandom(size) for number in range(10)}, ending)
    items = items_in(tmp_path / f"cut{ending}", data[: len(data) * 6 // 10])
    answers = kinds(items)
    assert answers[:2] == ["read", "read"]
    assert items[-1].error is not None
    assert items[-1].name.endswith("#rest")
    assert "download it again" in str(items[-1].error)


def test_an_archive_cut_between_two_members_is_noticed(tmp_path: Path) -> None:
    items = items_in(tmp_path / "cut.tar", packed({"a.jpg": b"A", "b.jpg": b"B"})[:1024])
    assert kinds(items) == ["read", "missing"]


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
def test_a_member_over_the_budget_is_refused_unread(ending: str, tmp_path: Path) -> None:
    data = packed({"a.jpg": bytes(10**6), "b.jpg": b"B"}, ending)
    rules = SourceRules(Limits(size_bytes=10**5))
    assert kinds(items_in(tmp_path / f"all{ending}", data, rules), rules) == ["too-large", "read"]


def test_an_archive_that_swells_beyond_reason_is_given_up(tmp_path: Path) -> None:
    works = {"a.jpg": b"A", "zeros.bin": bytes(10**7), "b.jpg": b"B"}
    (tmp_path / "bomb.tar.gz").write_bytes(packed(works, ".tar.gz"))
    items = list(tar_items(str(tmp_path / "bomb.tar.gz"), SourceRules(), free_bytes=10**6))
    assert kinds(items) == ["read", "missing"]
    assert "made to do harm" in str(items[1].error)


def test_a_header_that_claims_gigabytes_for_a_name_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2**31
    data = packed({"a.jpg": b"A"})[:1024] + member.tobuf(tarfile.GNU_FORMAT) + bytes(4096)
    assert kinds(items_in(tmp_path / "bomb.tar", data)) == ["read", "missing"]


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b\x08", bytes(512)])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_no_archive_is_an_error(data: bytes, ending: str, tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / f"bad{ending}", data)
    assert item.error is not None


def test_many_members_cost_no_memory(tmp_path: Path) -> None:
    (tmp_path / "all.tar").write_bytes(
        packed({f"{number}.jpg": b"x" for number in range(400)}, form=tarfile.USTAR_FORMAT)
    )
    items = find_items([str(tmp_path / "all.tar")])
    next(items)
    tracemalloc.start()
    count = sum(1 for _ in items)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 399
    assert grown < 100_000  # of names; tarfile's own list would be a megabyte


@given(st.integers(0, 4000), st.binary(max_size=4), st.booleans(), st.sampled_from([".tar", ".tar.gz", ".tar.zst"]))
@settings(deadline=None, max_examples=60)
def test_an_archive_damaged_anywhere_raises_nothing_else(at: int, new: bytes, cut: bool, ending: str) -> None:
    data = packed({"a.jpg": b"A" * 500, "b.jpg": os.urandom(500)}, ending)
    at %= len(data)
    damaged = data[:at] + new + (b"" if cut else data[at + len(new) :])
    kinds(items_in(Path(os.environ["XDG_CACHE_HOME"]) / f"fuzz{ending}", damaged))
