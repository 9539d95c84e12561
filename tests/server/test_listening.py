"""The end of listening: who is connected is let in, who comes later is told nothing."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from tornado_cc.server import listening


@pytest.fixture
def one() -> Iterator[socket.socket]:
    (found,) = listening.bound(("127.0.0.1", 0))
    with found:
        yield found


async def test_it_waits_until_every_connection_that_is_made_is_accepted(
    one: socket.socket,
) -> None:
    callers = [socket.create_connection(one.getsockname()) for _ in range(5)]
    waiting = asyncio.create_task(listening.let_in_the_last([one]))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    for _ in callers:
        one.accept()[0].close()
    async with asyncio.timeout(10):
        await waiting
    for caller in callers:
        caller.close()


async def test_who_comes_later_is_neither_connected_nor_refused(one: socket.socket) -> None:
    await listening.let_in_the_last([one])
    with pytest.raises(TimeoutError):
        socket.create_connection(one.getsockname(), timeout=0.1)
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        one.accept()


async def test_connections_there_are_go_on(one: socket.socket) -> None:
    with socket.create_connection(one.getsockname()) as caller:
        taken, _ = one.accept()
        await listening.let_in_the_last([one])
        caller.sendall(b"more")
        taken.settimeout(10)
        assert taken.recv(4) == b"more"
        taken.close()


async def test_nobody_is_waited_for_who_is_not_accepted(one: socket.socket) -> None:
    with socket.create_connection(one.getsockname()):
        async with asyncio.timeout(10):
            await listening.let_in_the_last([one])


def test_an_admin_listener_that_is_off_is_no_socket() -> None:
    assert listening.bound_for_admin(None) == []


@pytest.mark.parametrize("environ", [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "2"}])
def test_without_a_word_for_this_process_nothing_is_taken(environ: dict[str, str]) -> None:
    assert listening.activated(environ) == listening.Sockets(None, None)
    assert not environ


def test_a_number_that_is_none_is_nothing() -> None:
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x"}
    assert listening.activated(environ) == listening.Sockets(None, None)
