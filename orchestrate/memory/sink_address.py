"""A connection for a sink, and where it may lead: to this machine, or to a host that the user has listed.

What a name means is looked up once, judged, and that very address is connected to, so no second look-up can lead
elsewhere.
"""

import http.client
import ipaddress
import socket
import ssl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = {"http": 80, "https": 443}


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
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if problem := _problem(host, _plain(address), hosts):
            raise Refused(problem)
    return addresses


def _problem(host: str, address: Address, hosts: frozenset[str]) -> str | None:
    name = host.lower().rstrip(".")
    if address.is_loopback or str(address) in hosts:
        return None
    if name not in hosts:
        return f"{host}: is not this machine: list it in the setting sinks.hosts to send events there"
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return f"{host}: leads to {address}, which no service of others has"
    return None


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
