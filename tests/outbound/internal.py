"""A network that nobody may be led into: names that lead there, and a port that hears of visits."""

import asyncio
import errno
import socket
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import pytest

Addresses = str | Sequence[str]


class Canary:
    """A port on every address of this machine. Whoever connects to it is noticed."""

    def __init__(self) -> None:
        # Of both families at once, where there is IPv6.
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        host = "::" if family is socket.AF_INET6 else "0.0.0.0"
        self._socket = socket.create_server(
            (host, 0), family=family, dualstack_ipv6=family is socket.AF_INET6
        )
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def was_reached(self) -> bool:
        """Whether a connection was made since the last look."""
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        self._socket.close()


class Names:
    """What the name service says: for each name its addresses, anew for each time it is asked."""

    def __init__(self, table: Mapping[str, Sequence[Addresses]]) -> None:
        self._answers = {name: list(answers) for name, answers in table.items()}
        self.asked: list[str] = []
        self._genuine = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        """Stands for `socket.getaddrinfo`. The last answer is given again and again."""
        name = str(host).rstrip(".").lower()
        answers = self._answers.get(name)
        if answers is None:
            return self._genuine(host, port, *args, **options)
        self.asked.append(name)
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        addresses = [given] if isinstance(given, str) else given
        return [_info(address, port) for address in addresses]


def _info(address: str, port: int) -> Any:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.fixture
def canary() -> Iterator[Canary]:
    """A port that nobody may reach."""
    one = Canary()
    yield one
    one.close()


@pytest.fixture
async def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which a connection was tried, whether or not somebody listens there."""
    tried: list[str] = []
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def noted(sock: socket.socket, address: Any) -> None:
        tried.append(address[0])
        if not ip_address(address[0]).is_loopback:
            # Whoever has that address has nothing to do with these tests.
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused by the test")
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", noted)
    return tried
