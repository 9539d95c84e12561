"""Golden conversations: every text file below this folder, played over a real socket.

A folder of scenarios holds `_conf.ini`, `_plugins/`, the one-file plugins every conversation
meets, and may hold `_players`, the ids of the players the store knows, one a line; a conversation
with a conf of its own has it beside it, `NAME.ini` for `NAME.txt`.

A conversation is one exchange or more, with `===` between them. An exchange is a sentence after
`#`, a request, `---`, the reply, `---`, the hooks fired, one a line, and no others. Requests are
HTTP as written; Host and Content-Length are added, or chunks when the request announces them, and
the lines of a multipart body end in CRLF. A reply is the status, the headers that matter, a blank
line and the whole body; a header without a value is one the reply must not have. JSON bodies are
compared as JSON; `…` in bodies and headers stands for any text, because ids are random.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Serve, Served, working

FOLDER = Path(__file__).parent
CONVERSATIONS = sorted(FOLDER.glob("*/*.txt"))
CHUNK = 50


@dataclass(frozen=True)
class Exchange:
    """What one caller says, and what has to come of it."""

    sentence: str
    request: str
    reply: str
    hooks: list[str]


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_the_conversation_goes_as_written(path: Path, serve: Serve) -> None:
    served = await serve(_conf(path), _plugins(path.parent))
    await served.know(*_players(path.parent))
    for exchange in _exchanges(path):
        expected = _expected(exchange)
        played = await _played(served, exchange)
        if _fits(expected["body"], played["body"]):
            played["body"] = expected["body"]
        for name, value in expected["headers"].items():
            if _fits(value, played["headers"][name]):
                played["headers"][name] = value
        assert played == expected, exchange.sentence


def test_every_folder_of_scenarios_has_conversations_that_are_played() -> None:
    folders = {path.parent for path in FOLDER.glob("*/_conf.ini")}
    assert folders
    assert folders == {path.parent for path in CONVERSATIONS}


def _conf(path: Path) -> str:
    own = path.with_suffix(".ini")
    return (own if own.exists() else path.with_name("_conf.ini")).read_text("utf-8")


def _plugins(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in folder.glob("_plugins/*.py")}


def _players(folder: Path) -> list[str]:
    path = folder / "_players"
    return path.read_text("utf-8").split() if path.exists() else []


def _exchanges(path: Path) -> Iterator[Exchange]:
    for part in re.split(r"^===\n", path.read_text("utf-8"), flags=re.MULTILINE):
        comment, rest = _comment(part)
        request, reply, hooks = re.split(r"^---(?:\n|\Z)", rest, flags=re.MULTILINE)
        yield Exchange(comment, request, reply, hooks.split("\n")[:-1])


def _comment(part: str) -> tuple[str, str]:
    match = re.match(r"(?:#.*\n)+", part)
    assert match, f"an exchange starts with a sentence after #, not with {part[:40]!r}"
    return match[0], part[match.end() :]


async def _played(served: Served, exchange: Exchange) -> dict[str, Any]:
    """What came of one exchange, when everything it set going has ended."""
    before, fired = working(), len(served.fired)
    answer = await served.send(_raw(exchange.request), method=exchange.request.split(" ")[0])
    await served.until_idle()
    async with asyncio.timeout(10):
        while running := working() - before:
            await asyncio.wait(running)
    return {
        "status": answer.status,
        "headers": {name: answer.header(name) or "" for name in _head(exchange.reply)[1]},
        "body": _comparable(answer.body.decode()),
        "hooks": served.fired[fired:],
    }


def _expected(exchange: Exchange) -> dict[str, Any]:
    status, headers = _head(exchange.reply)
    return {
        "status": int(status),
        "headers": headers,
        "body": _comparable(_body(exchange.reply)),
        "hooks": exchange.hooks,
    }


def _raw(request: str) -> bytes:
    """The request as bytes, framed."""
    line, headers = _head(request)
    body = _body(request).encode()
    if headers.get("Content-Type", "").lower().startswith("multipart/"):
        body = body.replace(b"\n", b"\r\n")
    headers.setdefault("Host", "localhost")
    if headers.get("Transfer-Encoding") == "chunked":
        body = _chunked(body)
    else:
        headers.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{line}\r\n{head}\r\n".encode() + body


def _head(message: str) -> tuple[str, dict[str, str]]:
    first, *lines = message.partition("\n\n")[0].splitlines()
    return first, {name: value.strip() for name, _, value in (one.partition(":") for one in lines)}


def _body(message: str) -> str:
    return message.partition("\n\n")[2].removesuffix("\n")


def _chunked(body: bytes) -> bytes:
    pieces = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def _comparable(body: str) -> str:
    """JSON in one spelling, so that 1, 1.0 and true stay three values; other text as it is."""
    try:
        value = json.loads(body, parse_constant=_refuse)
    except ValueError:
        return body
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False)


def _fits(expected: str, body: str) -> bool:
    pattern = r'(?:[^"\\]|\\.)*'.join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, body) is not None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
