"""Files and folders appear complete or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from artnet.atomic import atomic_folder, atomic_write, new_folder
from artnet.errors import DataError, OutputError, output_errors


def test_a_file_appears_under_its_name_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with atomic_write(path) as partial:
        partial.write_text("whole")
        assert partial.parent == path.parent and partial.suffix == ".csv"
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_an_error_leaves_the_file_of_before_and_no_partial(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before")
    with pytest.raises(error), atomic_write(path) as partial:
        partial.write_text("half")
        raise error
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_partial_that_a_kill_left_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with atomic_write(path) as partial:
        partial.write_text("killed here")
        stale = partial.name
    (tmp_path / stale).write_text("much longer than what comes next")
    with atomic_write(path) as partial:
        partial.write_text("next")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("next", [path])


def test_threads_that_share_a_path_have_a_partial_each(tmp_path: Path) -> None:
    path, partials, both = tmp_path / "overlay.jpg", set(), threading.Barrier(2, timeout=10)

    def write() -> None:
        with atomic_write(path, shared=True) as partial:
            partials.add(partial)
            partial.write_text("same")
            both.wait()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(partials), list(tmp_path.iterdir())) == (2, [path])


def test_a_folder_that_is_missing_is_an_output_error_with_its_hint(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "table.csv"
    with (
        pytest.raises(OutputError, match=r"table\.csv: cannot be written \(No such file or directory\); make it"),
        output_errors(path, "make it"),
        atomic_write(path) as partial,
    ):
        partial.write_text("nowhere")


def write_folder(path: Path, digest: str, error: Exception | None = None) -> None:
    with atomic_folder(path, digest) as folder:
        (folder / "chunks").mkdir(exist_ok=True)
        rows = folder / "rows"
        rows.write_text((rows.read_text() if rows.exists() else "") + "row ")
        if error is not None:
            raise error


def test_a_folder_appears_without_its_chunks_and_its_plan(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", "a digest")
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["rows"]


def test_the_same_digest_continues_what_an_error_left(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"out: cannot be written \(disk full\); what is done is kept"):
        write_folder(tmp_path / "out", "a digest", OSError(28, "disk full"))
    assert not (tmp_path / "out").exists()
    write_folder(tmp_path / "out", "a digest")
    assert (tmp_path / "out" / "rows").read_text() == "row row "


def test_another_digest_leaves_the_partial_alone(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_folder(tmp_path / "out", "a digest", OSError("gone"))
    with pytest.raises(OutputError, match=r"out\.partial: was left by a command with other images or settings"):
        write_folder(tmp_path / "out", "another digest")
    assert (tmp_path / "out.partial" / "rows").read_text() == "row "


def test_an_error_of_the_data_leaves_nothing_to_continue(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        write_folder(tmp_path / "out", "a digest", DataError("no paintings"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"out: cannot be written \(Not a directory\)"):
        write_folder(tmp_path / "file" / "out", "a digest")


def test_a_new_folder_appears_whole_with_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "models" / "mine"
    with new_folder(path) as folder:
        (folder / "graph").write_text("whole")
        assert not path.exists()
    assert (path / "graph").read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_new_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"mine: cannot be written \(disk full\)"), new_folder(tmp_path / "mine"):
        raise OSError(28, "disk full")
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_takes_nobodys_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(OutputError, match="exists already; choose another folder"), new_folder(path):
            pass
