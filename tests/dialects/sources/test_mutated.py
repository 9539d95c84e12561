"""Whatever stands in the headers, a verifier answers 401 or 400, and never fails.

`TORNADO_CC_MUTATIONS` says how many are tried; `make mutations` tries 100,000.
"""

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.sources.signing import BODY, SIGNED, at, events, now, request
from tests.serving import Serve
from tornado_cc.core.errors import Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.ports import Route
from tornado_cc.dialects.sources import explain
from tornado_cc.dialects.sources.events import Events

__all__ = ["now"]

COUNT = int(os.environ.get("TORNADO_CC_MUTATIONS", "3000"))
LETTERS = [*map(chr, range(0x20, 0x7F)), "\t", *map(chr, range(0x80, 0x100)), "€", "\udc80"]
ANY_TEXT = st.text(st.characters(codec="latin-1"), max_size=200)


def status_of(dialect: Events, name: str, headers: dict[str, str], body: bytes = BODY) -> int:
    """What would be answered; an error is one of the verifier."""
    asked = request(name, headers, body)
    route = dialect.match(asked.method, asked.path)
    try:
        found = dialect.read(route, asked)
    except Refusal as refusal:
        return dialect.write(route, None, refusal).status
    return found.status if isinstance(found, Response) else 200


def changed(text: str, chance: random.Random) -> str:
    """A text with something else in it."""
    place = chance.randrange(len(text) + 1)
    other = "".join(chance.choices(LETTERS, k=chance.randint(1, 8)))
    return chance.choice(
        [
            text[:place] + other + text[place:],
            text[:place] + other[0] + text[place + 1 :],
            text[:place],
            text[place:],
            text.swapcase(),
            text[::-1],
            other,
            "",
            text * chance.randint(2, 50),
            text.replace(chance.choice("=,.01v"), other),
        ]
    )


def mutated(headers: dict[str, str], chance: random.Random) -> dict[str, str]:
    """Headers one or more of which are not what was signed, or are not there."""
    found = dict(headers)
    for name in chance.sample(sorted(found), chance.randint(1, len(found))):
        if chance.random() < 0.1:
            del found[name]
        else:
            found[name] = changed(found[name], chance)
    return found


def still_says(headers: dict[str, str], original: dict[str, str]) -> bool:
    """Whether all that was signed is still there: then it is taken, rightly."""
    found = {name.lower(): value.lower() for name, value in headers.items()}
    for name, value in original.items():
        there = found.get(name.lower(), "")
        if "delivery" in name.lower() or name == "X-Shop-Id":
            continue
        if any(part not in there for part in value.lower().split(",")):
            return False
    return True


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("name", SIGNED)
def test_mutated_headers_are_refused_with_401_or_400(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Explaining takes most of the time: of a hundred thousand, some are enough.
    monkeypatch.setattr(explain, "A_MINUTE", 1000)
    dialect, original = events(), SIGNED[name]()
    chance = random.Random(f"{name} {COUNT}")
    for _ in range(COUNT // len(SIGNED)):
        headers = mutated(original, chance)
        status = status_of(dialect, name, headers)
        if status == 200:
            assert still_says(headers, original), headers
        else:
            assert status in (400, 401), headers


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("name", SIGNED)
def test_any_body_and_any_header_is_judged(name: str) -> None:
    dialect = events()
    sign = SIGNED[name]

    @given(st.binary(max_size=300), st.dictionaries(st.sampled_from(sorted(sign())), ANY_TEXT))
    def judged(body: bytes, headers: dict[str, str]) -> None:
        # A new one, whose minute has room: each is explained.
        assert status_of(events(), name, headers, body) in (400, 401)
        good = sign(body)
        # An id in the body may be anything; then the event has another one, or none.
        assert status_of(dialect, name, good, body) == 200

    judged()


@pytest.mark.parametrize("seconds", [-(10**9), -1, 0, 10**11])
def test_no_time_is_too_strange_to_be_judged(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 0)
    status = status_of(events(), "stripe", SIGNED["stripe"](at=seconds))
    assert status == (400 if seconds < 0 else 200 if seconds == 0 else 401)


async def test_over_a_socket_the_answer_is_json_and_nothing_fails(serve: Serve) -> None:
    conf = "[source:shop]\nscheme = github\nsecret = shop-secret-of-16-letters\n"
    served = await serve(conf, {})
    chance = random.Random(1)
    for _ in range(200):
        value = changed("sha256=" + "ab" * 32, chance).encode("utf-8", "surrogateescape")
        raw = b"POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Hub-Signature-256: "
        answer = await served.send(raw + value + b"\r\n\r\n{}")
        assert answer.status in (400, 401)
        assert set(answer.json()) == {"error"}
    assert served.errors == set()


def test_the_route_of_nobody_is_404() -> None:
    assert status_of(events(), "nobody", {}) == 404
    assert events().write(Route("", ""), None, Refusal("x")).status == 400
