"""Every error that a user can meet, with the exit code and the HTTP status it leads to.

    ArtNetError
    ├── UsageError            2  400   an option or argument whose value is not allowed
    ├── SourceError           3  404   a source that does not exist or cannot be read
    │   ├── NoImagesError     3  404   a folder, pattern, list or archive without a single image
    │   └── AddressError      3  502   a URL that cannot be fetched, or not in time
    │       ├── RetryLaterError
    │       │                 3  502   a URL whose server asks to come again later
    │       └── RefusedAddressError
    │                         3  403   a URL that this machine does not fetch
    ├── ImageError            3  422   bytes that cannot be decoded
    │   ├── EmptyImageError   3  422   nothing in the file
    │   ├── FormatError       3  415   no format that ArtNet reads
    │   │   └── UnsupportedImageError
    │   │                     3  415   a kind of a format that ArtNet reads otherwise
    │   ├── CorruptImageError 3  422   truncated or damaged
    │   └── TooLargeError     3  413   over the limit of bytes or pixels
    ├── ModelError            4  500   a model folder that is incomplete, altered or contradicts itself
    ├── DataError             5  422   a collection or a prepared dataset that cannot be used
    │   └── TaxonomyError     5  422   a taxonomy file that cannot be used
    ├── TrainingError         6  500   a training that cannot start or continue
    │   └── ExportError       6  500   a graph that does not agree with its network
    ├── StoppedError        130  500   a command that was stopped on request and can be resumed
    ├── OutputError           7  507   a file or folder that cannot be written
    ├── WorkerError           9  500   a worker process or cluster that ended or cannot be reached
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
    """The base of all errors that ArtNet raises on purpose; `str(error)` is one sentence for the user.

    Attributes:
        exit_code: of a command that the error ends
        http_status: of a response
        kind: what the error is called in JSON and in tables
    """

    exit_code = 9
    http_status = 500
    kind = "error"


class UsageError(ArtNetError, ValueError):
    """A value that is not allowed; the message has the value, those allowed, and what to do."""

    exit_code = 2
    http_status = 400
    kind = "usage"


class SourceError(ArtNetError):
    """A source that does not exist or cannot be read."""

    exit_code = 3
    http_status = 404
    kind = "missing"


class NoImagesError(SourceError):
    """A folder, pattern, list or archive without a single image."""

    kind = "no-images"


class AddressError(SourceError):
    """A URL that cannot be fetched, or not in time: the other server is at fault."""

    http_status = 502
    kind = "address"


class RetryLaterError(AddressError):
    """A server that has too much to do; `after_s` is when to try again, None where it does not say."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class RefusedAddressError(AddressError):
    """A URL that must not be fetched: not HTTP, or of a machine that is not on the public internet."""

    http_status = 403
    kind = "address-refused"


class ImageError(ArtNetError):
    """Bytes that cannot be decoded to an image."""

    exit_code = 3
    http_status = 422
    kind = "image"


class EmptyImageError(ImageError):
    """A file of zero bytes."""

    kind = "empty"


class FormatError(ImageError):
    """Content in none of the formats that ArtNet reads, whatever the file is called."""

    http_status = 415
    kind = "format"


class UnsupportedImageError(FormatError):
    """A sound image of a kind that ArtNet does not read, in a format of which it reads other kinds."""

    kind = "unsupported"


class CorruptImageError(ImageError):
    """An image that begins well and cannot be decoded to its end."""

    kind = "corrupt"


class TooLargeError(ImageError):
    """An image over the limit of bytes or of pixels."""

    http_status = 413
    kind = "too-large"


class ModelError(ArtNetError):
    """A model folder that is incomplete, altered or contradicts itself."""

    exit_code = 4
    kind = "model"


class DataError(ArtNetError):
    """A collection or a prepared dataset that cannot be used."""

    exit_code = 5
    http_status = 422
    kind = "data"


class TaxonomyError(DataError):
    """A taxonomy file that cannot be used."""

    kind = "taxonomy"


class TrainingError(ArtNetError):
    """A training that cannot start or cannot continue."""

    exit_code = 6
    kind = "training"


class ExportError(TrainingError):
    """An exported graph that does not compute what its network computes."""

    kind = "export"


class StoppedError(ArtNetError):
    """A command that stopped on request, with how to resume it; after SIGTERM it exits with 143 instead."""

    exit_code = 130
    kind = "stopped"


class OutputError(ArtNetError):
    """A file or folder that cannot be written."""

    exit_code = 7
    http_status = 507
    kind = "output"


class WorkerError(ArtNetError):
    """A worker process that was ended from outside, for want of memory for instance, or a cluster out of reach."""

    kind = "worker"


class BusyError(ArtNetError):
    """As many requests wait as may; `retry_after_s` says when to try again."""

    http_status = 429
    kind = "busy"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineError(ArtNetError):
    """A request that was not answered in time."""

    http_status = 503
    kind = "deadline"


class MissingExtraError(ArtNetError):
    """An optional package that is not installed; the message has the command that installs it."""

    exit_code = 8
    http_status = 501
    kind = "missing-extra"


def reason(error: BaseException, limit: int = 200) -> str:
    r"""Return one short line that says why `error` was raised, to stand in parentheses in a message.

    The operating system's words where it has some, else the first line that does not merely announce the next, else
    the class of the error or of its cause.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.jpg"))
    'No such file or directory'
    >>> reason(RuntimeError("Exception from core.cpp:135:\nUnable to read the model."))
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
