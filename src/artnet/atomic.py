"""Make a folder under another name and rename it when it is whole; take up what an earlier call left.

Knows nothing about what is written into it: a digest says whether two calls write the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artnet.errors import DataError, OutputError


@contextmanager
def atomic_folder(out: Path, digest: str) -> Iterator[Path]:
    """Give a folder to write into that becomes `out` when everything has been written; its `chunks` go.

    A folder that an earlier call with the same digest left is taken up; any other is refused. After an error of the
    data the folder goes, since the next call would end in the same error.
    """
    partial = out.with_name(out.name + ".partial")
    plan = partial / "plan.txt"
    try:
        if partial.exists() and (not plan.exists() or plan.read_text() != digest):
            raise OutputError(
                f"{partial}: holds something else than an unfinished dataset of these pictures and settings; remove it"
            )
        if not partial.exists():
            _begin(partial, digest)
        yield partial
        shutil.rmtree(partial / "chunks", ignore_errors=True)
        plan.unlink()
        partial.rename(out)
    except DataError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror or error}); what is done is kept, the same command goes on"
        ) from error


def _begin(partial: Path, digest: str) -> None:
    """Make the folder with its plan already in it, so that no kill leaves one without."""
    scratch = partial.with_name(f".{partial.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "plan.txt").write_text(digest)
    scratch.rename(partial)
