"""The policy for IP addresses: which belong to the public internet.

`ipaddress.is_global` is not used: it lets NAT64 addresses of private machines and metadata services of two clouds pass.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# IANA's registries of special-purpose addresses (RFC 6890 and its updates); the list in Python's own `ipaddress`
# differs between its patch releases, so that what is refused would depend on them.
_SPECIAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT); also Alibaba's metadata, 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata and DNS: a public number that only virtual machines can reach
        "169.254.0.0/16",  # link-local; also the metadata of AWS, Azure, Google and others, 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; also Oracle's metadata, 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_ALLOCATED_V6 = IPv6Network("2000::/3")  # all that IANA has allocated for the public internet; the rest is refused
_SPECIAL_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments; also Teredo, which carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address and is long given up
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address (RFC 6052)


def is_public(address: str) -> bool:
    """Return whether an IP address in its canonical form, as a resolver returns it, is on the public internet.

    Loopback, private, link-local, shared, multicast, reserved and metadata addresses are not, nor are IPv6 addresses
    that stand for one of them, nor any other text.

    >>> is_public("93.184.215.14"), is_public("2606:4700::1111"), is_public("64:ff9b::a9fe:a9fe"), is_public("127.1")
    (True, True, False, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _SPECIAL_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _ALLOCATED_V6 and not any(address in network for network in _SPECIAL_V6)
