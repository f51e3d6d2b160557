"""A connection for a sink, and where it may lead: to this machine, or to a host that the user has listed.

A name that is not listed is not even asked about: a look-up alone tells others of it. What a listed one means is looked
up once, judged, and that very address is connected to, so no second look-up can lead elsewhere.
"""

import http.client
import ipaddress
import socket
import ssl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = {"http": 80, "https": 443}
_HERE = "localhost"
_NOT_LISTED = "{}: is not this machine: list it in the setting sinks.hosts to send events there"


class Refused(Exception):
    """The sink may not send there; the text says why."""


def listed(hosts: str) -> frozenset[str]:
    """The setting sinks.hosts."""
    return frozenset(host.strip().lower().rstrip(".") for host in hosts.split(",") if host.strip())


def connection(scheme: str, host: str, port: int | None, timeout_s: float, hosts: frozenset[str]) -> "Pinned":
    return Pinned(scheme, host, port or PORTS[scheme], timeout_s, hosts)


class Pinned(http.client.HTTPConnection):
    def __init__(self, scheme: str, host: str, port: int, timeout_s: float, hosts: frozenset[str]) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._scheme = scheme
        self._within_s = timeout_s
        self._hosts = hosts

    def connect(self) -> None:
        problem: OSError = ConnectionError(f"{self.host} has no address")
        for address in allowed(self.host, self.port, self._hosts):
            try:
                self.sock = socket.create_connection((address, self.port), self._within_s)
                break
            except OSError as error:
                problem = error
        else:
            raise problem
        if self._scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def allowed(host: str, port: int, hosts: frozenset[str]) -> list[str]:
    """The addresses to connect to, in their order; Refused where one of them may not be."""
    addresses = list(dict.fromkeys(_numeric(host, port) or _looked_up(host, port, hosts)))
    for address in addresses:
        if problem := _problem(host, _plain(address), hosts):
            raise Refused(problem)
    return addresses


def _numeric(host: str, port: int) -> list[str]:
    """An address in whichever form the system takes one, without asking anybody."""
    try:
        return _addresses(host, port, socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):  # UnicodeError: no name of a host can be so
        return []


def _looked_up(host: str, port: int, hosts: frozenset[str]) -> list[str]:
    name = host.lower().rstrip(".")
    if name not in hosts and name != _HERE and not name.endswith(f".{_HERE}"):
        raise Refused(_NOT_LISTED.format(host))
    return _addresses(host, port)


def _addresses(host: str, port: int, flags: int = 0) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]


def _problem(host: str, address: Address, hosts: frozenset[str]) -> str | None:
    name = host.lower().rstrip(".")
    if address.is_loopback or str(address) in hosts:
        return None
    if name not in hosts:
        return _NOT_LISTED.format(host)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return f"{host}: leads to {address}, which no service of others has"
    return None


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
