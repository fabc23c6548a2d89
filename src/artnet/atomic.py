"""Files and folders that appear under their name only when they are complete."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artnet.errors import DataError, OutputError, output_errors


def check_parent(output: Path) -> None:
    """Raise an `OutputError` if the folder of an output does not exist."""
    if not output.absolute().parent.is_dir():
        raise OutputError(f"{output}: its folder does not exist; make it first")


@contextmanager
def atomic_write(path: Path, shared: bool = False) -> Iterator[Path]:
    """Yield a partial path beside `path` that is renamed to it on success and removed on any error.

    The partial is called `.partial.` and the name of `path`, with whose suffix libraries choose a format: a pattern
    like `*.parquet` matches it, too. It is on disk before it is renamed.
    For an `OutputError` in place of an `OSError`: `with output_errors(path), atomic_write(path) as partial`.

    Args:
        path: file to write or to replace; its folder must exist
        shared: whether several threads or processes may write this path at once; each then has a partial of its own
    """
    writer = f"{os.getpid()}-{threading.get_ident()}." if shared else ""
    partial = path.with_name(f".partial.{writer}{path.name}")
    try:
        yield partial
        with partial.open("r+b") as file:  # Windows flushes no file that is open for reading only
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_absent(output: Path) -> None:
    """Raise an `OutputError` if there is anything where a folder is to be created."""
    if output.exists() or output.is_symlink():
        raise OutputError(f"{output}: exists already; choose another folder or remove it first")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside `path` that is renamed to it on success and removed on any error.

    The parents of `path` are created.

    Raises:
        OutputError: where `path` exists, and for an `OSError` of the block or of the rename
    """
    check_absent(path)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
            folder = Path(scratch, path.name)
            folder.mkdir()
            yield folder
            folder.rename(path)


@contextmanager
def atomic_folder(path: Path, digest: str) -> Iterator[Path]:
    """Yield a partial folder beside `path` that is renamed to it on success and kept for the next call on an error.

    What is in its folder `chunks` is needed only until then and goes before the rename. After a `DataError` the
    partial goes, too, since the next call would end in the same error.

    Args:
        path: folder to make; must not exist
        digest: what is written, as a digest of inputs and settings; only a call with the same one continues a partial

    Raises:
        OutputError: for an `OSError` of the block or of the rename, and for a partial with another digest
    """
    partial = path.with_name(f"{path.name}.partial")
    plan = partial / "plan.txt"
    try:
        with output_errors(path, "what is done is kept, the same command continues"):
            if not partial.exists():
                _start(partial, digest)
            elif not plan.exists() or plan.read_text() != digest:
                raise OutputError(
                    f"{partial}: was left by a command with other images or settings; remove it, or repeat that command"
                )
            yield partial
            shutil.rmtree(partial / "chunks", ignore_errors=True)
            plan.unlink()
            partial.rename(path)
    except DataError:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _start(partial: Path, digest: str) -> None:
    """Create the partial folder with its plan already in it, so that no kill leaves one without."""
    scratch = partial.with_name(f".{partial.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "plan.txt").write_text(digest)
    scratch.rename(partial)
