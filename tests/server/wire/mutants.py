"""Requests that went wrong on the way: the good ones, changed here and there."""

import random
from collections.abc import Callable, Iterator

from tests.server.wire.cases import BODY, ECHO, GROUPS, HEALTH, chunk, chunked

GOOD = [
    ECHO,
    HEALTH,
    ECHO + HEALTH,
    chunked(chunk(BODY[:7], b";a=b") + chunk(BODY[7:]) + b"0\r\nA: b\r\n\r\n"),
    b"GET /callback/KEY/SEC/player?a=b&c=d HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n",
    b"POST /endpoint/a HTTP/1.1\r\nHost: localhost\r\nX-Skygear-API-Key: client-key\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d",
    *(case.raw for group in GROUPS.values() for case in group if len(case.raw) < 400),
]
CRUMBS = [
    *(bytes([one]) for one in (0, 1, 9, 10, 11, 13, 32, 44, 47, 58, 59, 127, 128, 255)),
    *(b"\r\n", b"\r\n\r\n", b"\n\n", b"0\r\n\r\n", b"\r\n ", b": ", b";", b"Host: x\r\n", HEALTH),
    *(b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"GET", b"HEAD", b"CONNECT", b"%00", b"%2e%2e/"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 99999999\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"-1", b"ffffffff"),
    *(b"Expect: 100-continue\r\n", b"x" * 300, b"9" * 30, "ü€".encode(), b"{" * 200),
]

Change = Callable[[random.Random, bytes], bytes]


def _flip(chance: random.Random, raw: bytes) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :]


def _insert(chance: random.Random, raw: bytes) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(CRUMBS) + raw[at:]


def _overwrite(chance: random.Random, raw: bytes) -> bytes:
    at, crumb = chance.randrange(len(raw)), chance.choice(CRUMBS)
    return raw[:at] + crumb + raw[at + len(crumb) :]


def _leave_out(chance: random.Random, raw: bytes) -> bytes:
    start, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    return raw[:start] + raw[min(end, start + 20) :]


def _repeat(chance: random.Random, raw: bytes) -> bytes:
    start, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    return raw[:end] + raw[start:end] * chance.randrange(1, 4) + raw[end:]


def _swap_lines(chance: random.Random, raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\r\n".join(lines)


def _cross(chance: random.Random, raw: bytes) -> bytes:
    other = chance.choice(GOOD)
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :]


_CHANGES: list[Change] = [
    *(_flip, _insert, _overwrite, _leave_out, _repeat, _swap_lines, _cross),
]


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """So many requests, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        raw = chance.choice(GOOD)
        for _ in range(chance.randrange(1, 5)):
            raw = chance.choice(_CHANGES)(chance, raw or HEALTH)
        yield raw[: 64 << 10]
