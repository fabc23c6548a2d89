"""Every error that a user can meet, with the exit code and the HTTP status it leads to.

Knows nothing about who raises them.

    ArtNetError
    ├── UsageError            2  400   an option or argument that cannot be meant
    ├── SourceError           3  404   a place that holds no picture
    │   ├── NoPicturesError   3  404   a folder, glob or archive without a single picture
    │   └── AddressError      3  502   an address on the web that gives nothing, or not in time
    │       ├── RetryLaterError
    │       │                 3  502   an address whose server asks to come again later
    │       └── RefusedAddressError
    │                         3  403   an address on the web that is not fetched for a stranger
    ├── ImageError            3  422   bytes that do not become a picture
    │   ├── EmptyImageError   3  422   nothing in the file
    │   ├── FormatError       3  415   no format that ArtNet reads
    │   ├── CorruptImageError 3  422   truncated or damaged
    │   └── TooLargeError     3  413   over the budget of bytes or pixels
    ├── ModelError            4  500   a model folder that is incomplete, altered or contradicts itself
    ├── DataError             5  422   a catalog or a prepared dataset that cannot be used
    │   └── TaxonomyError     5  422   a taxonomy file that cannot be used
    ├── TrainingError         6  500   a training that cannot start or go on
    │   └── ExportError       6  500   a graph that does not agree with its network
    ├── StoppedError        130  500   a training that was asked to stop and can go on
    ├── OutputError           7  507   a place that cannot be written
    ├── WorkerError           9  500   a helper process that was ended from outside
    ├── BusyError             9  429   more requests than can wait; try again a little later
    ├── DeadlineError         9  503   a request that was not answered in time
    └── MissingExtraError     8  501   an optional package that is not installed

The first number is the exit code when the error ends a command, the second the HTTP status. A command that
answers some of its inputs and fails on others names each failure and exits with 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ArtNetError(Exception):
    """Stand above all errors that ArtNet raises on purpose; `str(error)` is one sentence for the user."""

    exit_code = 9
    http_status = 500
    kind = "error"


class UsageError(ArtNetError, ValueError):
    """Refuse a value: say which one came, which are allowed, and what to do."""

    exit_code = 2
    http_status = 400
    kind = "usage"


class SourceError(ArtNetError):
    """Report a source that does not exist or cannot be read."""

    exit_code = 3
    http_status = 404
    kind = "missing"


class NoPicturesError(SourceError):
    """Report a folder, a glob or an archive in which there is no picture at all."""

    kind = "no-pictures"


class AddressError(SourceError):
    """Report an address on the web that gives nothing, or not in time: the other server is at fault."""

    http_status = 502
    kind = "address"


class RetryLaterError(AddressError):
    """Report a server that has too much to do; `after_s` is when it wants to be asked again, where it says so."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class RefusedAddressError(AddressError):
    """Refuse an address that must not be fetched: no http(s), or a machine that is not on the public internet."""

    http_status = 403
    kind = "address-refused"


class ImageError(ArtNetError):
    """Report bytes that do not become a picture."""

    exit_code = 3
    http_status = 422
    kind = "image"


class EmptyImageError(ImageError):
    """Report a file of zero bytes."""

    kind = "empty"


class FormatError(ImageError):
    """Report content that is none of the formats ArtNet reads, whatever the file is called."""

    http_status = 415
    kind = "format"


class CorruptImageError(ImageError):
    """Report a picture that begins well and cannot be decoded to its end."""

    kind = "corrupt"


class TooLargeError(ImageError):
    """Report a picture over the budget of bytes or of pixels."""

    http_status = 413
    kind = "too-large"


class ModelError(ArtNetError):
    """Report a model folder that is incomplete, altered or contradicts itself."""

    exit_code = 4
    kind = "model"


class DataError(ArtNetError):
    """Report a catalog or a prepared dataset that cannot be used."""

    exit_code = 5
    http_status = 422
    kind = "data"


class TaxonomyError(DataError):
    """Report a taxonomy file that cannot be used."""

    kind = "taxonomy"


class TrainingError(ArtNetError):
    """Report a training that cannot start or cannot go on."""

    exit_code = 6
    kind = "training"


class ExportError(TrainingError):
    """Report an exported graph that does not compute what its network computes."""

    kind = "export"


class StoppedError(ArtNetError):
    """Report that a training stopped as asked, and how it goes on; the code is the shell's for Ctrl-C."""

    exit_code = 130
    kind = "stopped"


class OutputError(ArtNetError):
    """Report a file or folder that cannot be written."""

    exit_code = 7
    http_status = 507
    kind = "output"


class WorkerError(ArtNetError):
    """Report a helper process that was ended from outside, for want of memory for instance."""

    kind = "worker"


class BusyError(ArtNetError):
    """Report that as many requests wait as may; `retry_after_s` says when to try again."""

    http_status = 429
    kind = "busy"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineError(ArtNetError):
    """Report a request that was not answered in time."""

    http_status = 503
    kind = "deadline"


class MissingExtraError(ArtNetError):
    """Report an optional package that is not installed, with the command that installs it."""

    exit_code = 8
    http_status = 501
    kind = "missing-extra"


def reason(error: BaseException, limit: int = 200) -> str:
    """Return one short line that says why `error` was raised, to stand in parentheses in a message.

    The operating system's words where it has some, else the first line that does not merely announce the next, else
    the class of the error or of its cause.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.jpg"))
    'No such file or directory'
    >>> reason(RuntimeError("Exception from core.cpp:135:\\nUnable to read the model."))
    'Unable to read the model'
    >>> reason(TimeoutError())
    'TimeoutError'
    """
    text = getattr(error, "strerror", None) or str(error)
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    line = next((line for line in lines if not line.endswith(":")), lines[-1] if lines else "")
    line = re.sub(r"^\[Errno [^]]*\] ", "", line).rstrip(".:") or type(error.__cause__ or error).__name__
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


@contextmanager
def output_errors(path: Path, hint: str = "make room or choose another folder") -> Iterator[None]:
    """Raise an `OutputError` about `path` for any `OSError` of the block; `hint` says what the user can do."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason(error)}); {hint}") from error
