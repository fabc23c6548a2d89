"""GET of untrusted http(s) URLs, within limits on time, bytes, redirects and the machines that may be reached."""

from __future__ import annotations

import time
import zlib
from contextlib import aclosing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from artnet import __version__
from artnet.errors import AddressError, RefusedAddressError, RetryLaterError, TooLargeError, reason

if TYPE_CHECKING:
    import httpcore2

_MAX_URL_LENGTH = 4096  # characters; signed URLs of cloud stores come near a thousand
_REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_RETRY_STATUSES = (429, 503)
_PORTS = {"http": 80, "https": 443}
_SAFE = "%/:=&?~#+!$,;'@()*[]"  # what has a meaning in a URL, or is escaped already


@dataclass(frozen=True)
class FetchRules:
    """Limits on one fetch.

    Attributes:
        allow_private: reach machines that are not on the public internet, too
        size_bytes: the largest body
        timeout_s: from resolving the host to the last byte, all redirects included
        redirects: how many are followed
    """

    allow_private: bool = False
    size_bytes: int = 64 * 2**20
    timeout_s: float = 20.0
    redirects: int = 4


@dataclass(frozen=True)
class Fetched:
    """A body, the URL that redirects led to, and the Content-Type header (empty if there is none)."""

    data: bytes = field(repr=False)
    url: str
    content_type: str


def is_url(text: str) -> bool:
    """Return whether a text is an http(s) URL rather than the name of a file."""
    return text[:8].lower().startswith(("http://", "https://"))


def fetch(url: str, rules: FetchRules | None = None) -> Fetched:
    """Fetch a URL from a thread that runs no event loop; see `fetch_async`."""
    import asyncio

    return asyncio.run(fetch_async(url, rules))


async def fetch_async(url: str, rules: FetchRules | None = None) -> Fetched:
    """Fetch a URL into memory, following redirects.

    Raises:
        RefusedAddressError: for a URL that must not be fetched, or that redirects to one
        TooLargeError: if the body is over `rules.size_bytes`
        RetryLaterError: if the server answers 429 or 503
        AddressError: if the URL yields nothing, or not in time
    """
    import asyncio

    import httpcore2  # a tenth of a second, which no command needs before it meets a URL

    from artnet.fetch.backend import CheckedBackend, tls_context

    rules = rules or FetchRules()
    label = _label(url)
    try:
        async with (
            aclosing(CheckedBackend(label, rules.timeout_s, rules.allow_private)) as backend,
            asyncio.timeout(rules.timeout_s),
            httpcore2.AsyncConnectionPool(ssl_context=tls_context(), network_backend=backend) as pool,
        ):
            return await _follow(pool, url, rules)
    except (TimeoutError, httpcore2.TimeoutException):
        raise AddressError(f"{label}: took longer than {rules.timeout_s:g} s; try again later") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        raise AddressError(f"{label}: cannot be fetched ({reason(error)})") from error


async def _follow(pool: httpcore2.AsyncConnectionPool, url: str, rules: FetchRules) -> Fetched:
    label = _label(url)
    for _ in range(rules.redirects + 1):
        target, headers = _request(url, label)
        async with pool.stream("GET", target, headers=headers) as response:
            received = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
            if response.status not in _REDIRECT_STATUSES or not received.get("location"):
                _check_head(response.status, received, label, rules)
                data = await _body(response, _decompressor(received, label), label, rules)
                return Fetched(data, url, received.get("content-type", ""))
        url = _redirected(url, received["location"], label)
    raise AddressError(f"{label}: redirects more than {rules.redirects} times; give the URL that it leads to")


def _request(url: str, label: str) -> tuple[httpcore2.URL, dict[bytes | str, bytes | str]]:
    import httpcore2

    parts = _split_url(url, label)
    host = _ascii_host(parts, label)
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    headers: dict[bytes | str, bytes | str] = {
        "Host": _host_header(host, parts),
        "User-Agent": f"artnet/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",  # what unpacks to a thousand times its size is never requested
        "Connection": "close",
    }
    port = parts.port or _PORTS[parts.scheme]
    return httpcore2.URL(scheme=parts.scheme, host=host, port=port, target=target), headers


def _check_head(status: int, headers: dict[str, str], label: str, rules: FetchRules) -> None:
    """Raise unless a response promises a body that may be read."""
    if status in _RETRY_STATUSES:
        message = f"{label}: the server is too busy (it answered {status}); try again later"
        raise RetryLaterError(message, _retry_after_s(headers.get("retry-after", "")))
    if status != 200:
        raise AddressError(f"{label}: the server answered {status}; check the URL")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > rules.size_bytes:
        raise _too_large(label, rules)


def _decompressor(headers: dict[str, str], label: str) -> Any:
    """Return what unpacks a body that was compressed unasked, as some servers do; None for one that was not."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # tells gzip and deflate apart
    if encoding not in ("", "identity"):
        raise AddressError(f"{label}: was sent compressed by {encoding}, which was not requested; download it yourself")
    return None


async def _body(response: httpcore2.Response, decompressor: Any, label: str, rules: FetchRules) -> bytes:
    data = bytearray()
    try:
        async for block in response.aiter_stream():
            # At most a byte more than the limit, however much a block unpacks to.
            data += decompressor.decompress(block, rules.size_bytes + 1 - len(data)) if decompressor else block
            if len(data) > rules.size_bytes:
                raise _too_large(label, rules)
    except zlib.error as error:
        raise AddressError(f"{label}: was sent compressed and cannot be unpacked ({reason(error)})") from error
    if decompressor and not decompressor.eof:
        raise AddressError(f"{label}: was sent compressed and ends too early; try again")
    return bytes(data)


def _retry_after_s(value: str) -> float | None:
    """Return the seconds in a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _redirected(url: str, location: str, label: str) -> str:
    try:
        return urljoin(url, quote(location.encode("latin-1"), safe=_SAFE))  # its bytes, whatever letters they are
    except ValueError:
        raise AddressError(f"{label}: redirects to something that is not a URL; find the right one") from None


def _split_url(url: str, label: str) -> SplitResult:
    """Split a URL, refusing all but plain http(s) ones; spaces and non-ASCII characters are escaped later."""
    if len(url) > _MAX_URL_LENGTH:
        raise RefusedAddressError(f"{label}: is longer than {_MAX_URL_LENGTH} characters; give a shorter URL")
    url = url.strip()
    if any(letter < " " or letter == "\\" or letter == "\x7f" for letter in url):
        raise RefusedAddressError(f"{label}: holds line breaks or other characters that no URL has; copy it again")
    try:
        parts = urlsplit(url)
        _ = parts.port  # is parsed, and refused, only when it is read
    except ValueError:
        raise RefusedAddressError(f"{label}: is not a URL; give one such as https://example.org/a.jpg") from None
    if parts.scheme not in _PORTS:
        raise RefusedAddressError(f"{label}: only http and https URLs are fetched; give one of those")
    if "@" in parts.netloc:
        raise RefusedAddressError(f"{label}: holds a user name or password; give a URL without")
    if not parts.hostname or " " in parts.netloc:
        raise RefusedAddressError(f"{label}: names no host; give a URL such as https://example.org/a.jpg")
    return parts


def _ascii_host(parts: SplitResult, label: str) -> str:
    """Return the host as a resolver takes it: letters beyond ASCII in IDNA."""
    host = (parts.hostname or "").removesuffix(".")
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise RefusedAddressError(f"{label}: is not the name of a host; check the URL") from None


def _host_header(host: str, parts: SplitResult) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if parts.port in (None, _PORTS[parts.scheme]) else f"{name}:{parts.port}"


def _too_large(label: str, rules: FetchRules) -> TooLargeError:
    return TooLargeError(f"{label}: over the limit of {rules.size_bytes / 2**20:.3g} MB; give the URL of a smaller one")


def _label(url: str) -> str:
    """Return a URL as messages show it: short, and without what may be secret, a password or a signature."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in url).split("?", 1)[0].split("#", 1)[0]
    head, slashes, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    label = f"{head}{slashes}{host.rpartition('@')[2]}{slash}{path}"
    return label if len(label) <= 120 else f"{label[:119]}…"
