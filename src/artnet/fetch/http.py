"""Fetch a picture from an http(s) address that a stranger gave, safely.

Knows nothing about pictures: bytes come back, and what they are must be found out by whoever asked for them.

A name is resolved once, every address that it stands for is checked, and the connection is made to one of those very
addresses, so that a name cannot mean one machine when it is checked and another when it is used. The Host header and
the name in TLS stay those of the address as it was written. Each redirect is checked in the same way.
"""

from __future__ import annotations

import queue
import re
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from artnet import __version__
from artnet.errors import AddressError, RefusedAddressError, RetryLaterError, TooLargeError
from artnet.fetch.ip_policy import is_public

if TYPE_CHECKING:
    import httpcore2

_LONGEST = 4096  # characters; signed addresses of cloud stores come near a thousand
_REDIRECTS = (301, 302, 303, 307, 308)
_LATER = (429, 503)
_PORTS = {"http": 80, "https": 443}
_KEPT = "%/:=&?~#+!$,;'@()*[]"  # what has a meaning in an address, or is escaped already


@dataclass(frozen=True)
class FetchRules:
    """What may be fetched: `timeout_s` is for everything from the name to the last byte, redirects included."""

    allow_private: bool = False
    size_bytes: int = 64 * 2**20
    timeout_s: float = 20.0
    redirects: int = 4


@dataclass(frozen=True)
class Fetched:
    """What an address gave; `url` is where the redirects led, `content_type` what its server calls it, if anything."""

    data: bytes
    url: str
    content_type: str


def is_url(text: str) -> bool:
    """Tell whether a text is meant as an http(s) address, rather than as a file's name."""
    return text[:8].lower().startswith(("http://", "https://"))


def fetch(url: str, rules: FetchRules | None = None) -> Fetched:
    """Fetch what lies at an address, whole, in memory.

    Errors: `RefusedAddressError` for an address that must not be fetched, `AddressError` for one that gives nothing
    or not in time, among them `RetryLaterError`, `TooLargeError` for more bytes than `rules` allow.
    """
    rules = rules or FetchRules()
    deadline = time.monotonic() + rules.timeout_s
    there = url
    for _ in range(rules.redirects + 1):
        found = _fetch_once(there, url, rules, deadline)
        if isinstance(found, Fetched):
            return found
        there = found
    raise AddressError(f"{_shown(url)}: redirects more than {rules.redirects} times; give the address it leads to")


def _fetch_once(there: str, named: str, rules: FetchRules, deadline: float) -> Fetched | str:
    """Make one request; give what it brought, or the address that it redirects to."""
    from artnet.fetch import pinned  # brings a client for HTTP, which no command needs before it is given an address

    parts = _checked(there, named)
    host = _ascii_host(parts, named)
    port = parts.port or _PORTS[parts.scheme]
    addresses = _resolved(host, port, named, rules, deadline)
    target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    headers: dict[bytes | str, bytes | str] = {
        "Host": _host_header(host, parts),
        "User-Agent": f"artnet/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",  # what unpacks to a thousand times its size is never asked for
        "Connection": "close",
    }
    try:
        with pinned.get(pinned.Place(parts.scheme, host, port, target), headers, addresses, deadline) as response:
            return _answer(response, there, named, rules)
    except TimeoutError:
        raise AddressError(f"{_shown(named)}: took longer than {rules.timeout_s:g} s; try again later") from None
    except ConnectionError as error:
        raise AddressError(f"{_shown(named)}: cannot be fetched ({_reason(error)})") from error


def _answer(response: httpcore2.Response, there: str, named: str, rules: FetchRules) -> Fetched | str:
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
    if response.status in _REDIRECTS and headers.get("location"):
        return _redirected(there, headers["location"], named)
    if response.status in _LATER:
        message = f"{_shown(named)}: the server answered {response.status}, it has too much to do; try again later"
        raise RetryLaterError(message, _after_s(headers.get("retry-after", "")))
    if response.status != 200:
        raise AddressError(f"{_shown(named)}: the server answered {response.status}; check the address")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise AddressError(f"{_shown(named)}: comes compressed although that was not asked for; download it yourself")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > rules.size_bytes:
        raise _too_large(named, rules)
    data = bytearray()
    for block in response.iter_stream():
        data += block
        if len(data) > rules.size_bytes:
            raise _too_large(named, rules)
    return Fetched(bytes(data), there, headers.get("content-type", ""))


def _after_s(said: str) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); None where it says neither."""
    if said.strip().isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _redirected(there: str, location: str, named: str) -> str:
    try:
        return urljoin(there, location)
    except ValueError:
        raise AddressError(f"{_shown(named)}: redirects to what is no address; find the right one") from None


def _checked(there: str, named: str) -> SplitResult:
    """Take an address apart and refuse what is no plain http(s) address."""
    shown = _shown(named)
    if len(there) > _LONGEST:
        raise RefusedAddressError(f"{shown}: is longer than {_LONGEST} characters; give a shorter address")
    if any(letter <= " " or letter == "\\" or letter == "\x7f" for letter in there):
        raise RefusedAddressError(f"{shown}: holds spaces or other characters that no address has; copy it again")
    try:
        parts = urlsplit(there)
        _ = parts.port  # a port that is no number shows only when asked for
    except ValueError:
        raise RefusedAddressError(f"{shown}: is no address; give one such as https://example.org/a.jpg") from None
    if parts.scheme not in _PORTS:
        raise RefusedAddressError(f"{shown}: only http and https addresses are fetched; give one of those")
    if "@" in parts.netloc:
        raise RefusedAddressError(f"{shown}: holds a user name or password; give an address without")
    if not parts.hostname:
        raise RefusedAddressError(f"{shown}: names no host; give an address such as https://example.org/a.jpg")
    return parts


def _ascii_host(parts: SplitResult, named: str) -> str:
    """Write the host in ASCII: a name in other letters as the resolver knows it (IDNA)."""
    host = (parts.hostname or "").removesuffix(".")
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise RefusedAddressError(f"{_shown(named)}: no host can be called so; check the address") from None


def _host_header(host: str, parts: SplitResult) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if parts.port in (None, _PORTS[parts.scheme]) else f"{name}:{parts.port}"


def _resolved(host: str, port: int, named: str, rules: FetchRules, deadline: float) -> list[str]:
    """Resolve a host once. Refused as a whole if one of its addresses is: it could be chosen another time."""
    try:
        found = _looked_up(host, port, deadline)
    except TimeoutError:
        raise AddressError(f"{_shown(named)}: its host was not found in time; try again later") from None
    except (OSError, UnicodeError):
        raise AddressError(f"{_shown(named)}: its host is not known; check the spelling") from None
    if not rules.allow_private and not all(is_public(address) for address in found):
        raise RefusedAddressError(f"{_shown(named)}: leads to a machine that is not on the public internet")
    return found


def _looked_up(host: str, port: int, deadline: float) -> list[str]:
    """Ask the system's resolver, which understands every spelling of a number, too, but knows no time limit.

    It is asked in a thread of its own; one that is late is left behind, until the resolver itself gives up.
    """
    said: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            said.put(list(dict.fromkeys(str(entry[4][0]) for entry in entries)))
        except Exception as error:
            said.put(error)

    threading.Thread(target=ask, name="artnet-resolve", daemon=True).start()
    try:
        found = said.get(timeout=max(0.001, deadline - time.monotonic()))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _too_large(named: str, rules: FetchRules) -> TooLargeError:
    return TooLargeError(
        f"{_shown(named)}: over the budget of {rules.size_bytes / 2**20:.0f} MB; give the address of a smaller one"
    )


def _shown(url: str) -> str:
    """Shorten an address for a message, without what may be secret in it: a password, a signature."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in url).split("?", 1)[0].split("#", 1)[0]
    head, slashes, rest = plain.partition("://")
    host, slash, path = rest.partition("/")
    shown = f"{head}{slashes}{host.rpartition('@')[2]}{slash}{path}"
    return shown if len(shown) <= 120 else f"{shown[:119]}…"


def _reason(error: BaseException) -> str:
    text = str(error) or type(error.__cause__ or error).__name__
    return re.sub(r"^\[[^\]]*\] ", "", text).strip().rstrip(".")
