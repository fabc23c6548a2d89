"""Which internet addresses are public ones."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.fetch.ip_policy import is_public


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "223.255.255.254", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
        "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255",
    ],
)  # fmt: skip
def test_special_addresses_of_version_4_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::",
        "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
        "ff02::1",
    ],
)  # fmt: skip
def test_special_addresses_of_version_6_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3", "8.8.8.8/8", "[::1]"])
def test_what_no_resolver_gives_is_not_public(text: str) -> None:
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_an_address_inside_one_of_version_6_is_judged_as_itself(address: IPv4Address) -> None:
    plain = is_public(str(address))
    assert is_public(str(IPv6Address(int(IPv6Address("::ffff:0:0")) + int(address)))) == plain
    assert is_public(str(IPv6Address(int(IPv6Address("64:ff9b::")) + int(address)))) == plain


@given(st.ip_addresses())
def test_what_python_itself_calls_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    inside = getattr(address, "ipv4_mapped", None) or address
    closed = (
        inside.is_private or inside.is_multicast or inside.is_reserved or inside.is_loopback or inside.is_link_local
    )
    nat64 = str(address).startswith("64:ff9b::")
    assert not (is_public(str(address)) and closed and not nat64)
