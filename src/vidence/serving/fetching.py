"""Which addresses may be fetched from: public ones alone, whatever they are dressed up as."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from vidence.serving.refusing import Refused

SCHEMES = {"http": 80, "https": 443}
LONGEST = 2000
_GLOBAL = ipaddress.ip_network("2000::/3")  # all that is given out of IPv6 (RFC 4291, 2.4)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4 in IPv6 as it was once written


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: connect to `addresses` alone, ask as `host`."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def check_url(url: str, allowed: Sequence[str] = ()) -> Target:
    """Read an address, resolve its host, and check every address that it has.

    `allowed` are networks (CIDR) that may be reached though they are not public.

    Raises:
        Refused: 400, it is none that may be fetched; the message says why.
    """
    if len(url) > LONGEST or any(ord(letter) <= 32 or ord(letter) == 127 for letter in url) or "\\" in url:
        raise Refused(400, "the address holds what no address does: blanks, control codes, backslashes")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna" if not host.isascii() else "ascii")
    except ValueError as error:
        raise Refused(400, f"the address cannot be read ({error})") from None
    if parts.scheme not in SCHEMES:
        raise Refused(400, f"only http and https are fetched, not {parts.scheme[:20]!r}")
    if parts.username is not None or parts.password is not None:
        raise Refused(400, "the address holds a user or a password; give one without")
    if not host or "%" in host or port == 0:
        raise Refused(400, "the address names no host")
    ascii_host = host if host.isascii() else host.encode("idna").decode()
    port = port or SCHEMES[parts.scheme]
    addresses = _resolved(ascii_host, port)
    networks = [ipaddress.ip_network(network) for network in allowed]
    for address in addresses:
        if not is_public(address) and not any(address in network for network in networks):
            raise Refused(400, f"{host[:100]} is not a public address, and nothing is fetched from those")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.scheme, ascii_host, port, path, tuple(map(str, addresses)))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is one of the open internet, also where it carries another in it."""
    inner = carried(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address not in _GLOBAL:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4, Teredo), or None."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _NAT64_LOCAL or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _resolved(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Ask the resolver, which also reads 2130706433, 0x7f.1 and 017700000001 as it will be connected to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(400, f"{host[:100]} cannot be found ({error})") from None
    if any("%" in str(place[0]) for *_, place in found):
        raise Refused(400, f"{host[:100]} is not a public address, and nothing is fetched from those")
    return list(dict.fromkeys(ipaddress.ip_address(str(place[0])) for *_, place in found))
