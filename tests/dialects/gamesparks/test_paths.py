"""Paths: every way to put key, credential, secret and player together, and to spell them."""

from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.dialects.gamesparks.fixture import dialect, request
from tornado_cc.core.call import CallbackCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Response
from tornado_cc.core.ports import Claims, Dialect, Surroundings
from tornado_cc.core.secret import Secret
from tornado_cc.dialects.gamesparks import CredentialSettings, DialectSettings, build

SECRETS = {"server": "SEC", "cb1": "C1"}
STRICT, LENIENT = dialect(), dialect(strict=False)
KNOWN = ["KEY", "SEC", "cb1", "C1", "pl1", "P1", "server", "p1", "", ".", "..", "\0nobody", "a/b"]
WORDS = st.sampled_from(KNOWN) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


def every_character(word: str) -> str:
    return "".join(f"%{byte:02x}" for byte in word.encode())


SPELT = st.builds(
    lambda word, spell: spell(word),
    WORDS,
    st.sampled_from([lambda word: quote(word, safe=""), every_character]),
)
SEGMENTS = st.lists(WORDS, max_size=6)
# Mostly right, so that what gets through is met often.
LIKELY = st.tuples(
    st.just("KEY"),
    st.sampled_from(["SEC", "cb1", "server", "pl1"]) | WORDS,
    st.sampled_from(["SEC", "C1", "P1", "", "p1"]) | WORDS,
    st.sampled_from(["", "p1"]) | WORDS,
).flatmap(lambda parts: st.integers(2, 4).map(lambda count: list(parts[:count])))
PATHS = SEGMENTS | LIKELY


@dataclass(frozen=True)
class Let:
    """Who was let through, as whom."""

    credential: str
    player: str | None


def expected(parts: list[str], *, strict: bool) -> Let | int:
    """The page's five rules, written down a second time and the slow way."""
    if len(parts) < 2 or len(parts) > 4 or "" in parts[:-1]:
        return 404
    key, name, *rest = parts
    if len(parts) == 2:
        if strict or not name:
            return 404
        credential, secret, player = "server", name, ""
    elif len(parts) == 3 and rest[0] and name in SECRETS:
        credential, secret, player = name, rest[0], ""
    elif len(parts) == 3:
        credential, secret, player = "server", name, rest[0]
    elif name in SECRETS or rest[1]:
        credential, secret, player = name, rest[0], rest[1]
    else:
        credential, secret, player = "server", name, rest[0]
    if key == "KEY" and SECRETS.get(credential) == secret:
        return Let(credential, player or None)
    return 403


def answered(spoken: Dialect, path: str) -> Let | Response:
    asked = request(path, method="GET")
    route = spoken.match("GET", path)
    assert set(route.template.removeprefix("/callback")) <= set("/*") or (
        route.template == "unmatched"
    )
    try:
        call = spoken.read(route, asked)
    except Refusal as refusal:
        return spoken.write(route, None, refusal)
    assert isinstance(call, CallbackCall)
    return Let(call.credential, call.player_id)


@given(PATHS, st.booleans(), st.booleans())
@example(["KEY", "unknown", "\0nobody", "p1"], True, False)
@example(["KEY", "pl1", "\0nobody", ""], True, False)
@example(["KEY", "pl1", "P1", "p1"], True, False)
@example(["KEY", "cb1", "SEC", "p1"], True, False)
def test_only_the_right_credentials_get_through_and_every_wrong_one_is_answered_alike(
    parts: list[str], strict: bool, spelt_out: bool
) -> None:
    spell = every_character if spelt_out else lambda word: quote(word, safe="")
    found = answered(
        STRICT if strict else LENIENT, "/callback/" + "/".join(spell(part) for part in parts)
    )
    hoped = expected(parts or [""], strict=strict)
    if isinstance(hoped, Let):
        assert found == hoped
    else:
        assert isinstance(found, Response)
        assert found == REFUSED[hoped]


REFUSED = {
    404: Response(404, b'{"error":"Not found"}'),
    403: Response(403, b'{"error":"Forbidden"}'),
}


@given(st.text(st.characters(max_codepoint=0xFF), max_size=30))
def test_whatever_the_path_there_is_an_answer(path: str) -> None:
    for spoken in (STRICT, LENIENT):
        found = answered(spoken, f"/callback/{path}")
        assert found in REFUSED.values()


@given(st.lists(SPELT, min_size=2, max_size=4))
def test_nobody_gets_through_where_no_secret_is_set(parts: list[str]) -> None:
    for path in ("/".join(parts), "%00nobody/%00nobody/", "/".join(["KEY", *parts[1:]])):
        found = answered(UNSET, f"/callback/{path}")
        assert found in REFUSED.values()


UNSET = build(DialectSettings(strict_trailing_slash=False), Surroundings(Claims({})))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_a_player_is_passed_through_as_given(player: str) -> None:
    for form in ("KEY/SEC/{}", "KEY/SEC/{}/", "KEY/server/SEC/{}"):
        path = "/callback/" + form.format(every_character(player))
        if form == "KEY/SEC/{}/" or player:
            assert answered(STRICT, path) == Let("server", player)


def test_a_player_in_unencoded_utf_8_is_the_same_player() -> None:
    # A request line is Latin-1 by the time it is a text.
    path = "/callback/KEY/SEC/你".encode().decode("latin-1")
    assert answered(STRICT, path) == Let("server", "你")


@pytest.mark.parametrize("secret", ["sécret", "a/b", "a b", "a?b", "a%2Fb", "a+b"])
def test_a_secret_may_hold_any_character_once_it_is_encoded(secret: str) -> None:
    settings = DialectSettings(api_key=Secret("KEY"), server_secret=Secret(secret))
    spoken = build(settings, Surroundings(Claims({})))
    assert answered(spoken, f"/callback/KEY/{quote(secret, safe='')}/") == Let("server", None)


def test_a_credential_named_like_the_server_secret_is_that_credential() -> None:
    spoken = with_credential("SEC", "p1")
    assert answered(spoken, "/callback/KEY/SEC/p1") == Let("SEC", None)
    assert answered(spoken, "/callback/KEY/SEC/p2") == REFUSED[403]
    assert answered(spoken, "/callback/KEY/SEC/") == Let("server", None)
    assert answered(spoken, "/callback/KEY/server/SEC/p2") == Let("server", "p2")


def test_no_conf_section_takes_the_default_callback_over() -> None:
    spoken = with_credential("server", "other")
    assert answered(spoken, "/callback/KEY/server/SEC/") == Let("server", None)
    assert answered(spoken, "/callback/KEY/server/other/") == REFUSED[403]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
def test_another_method_is_refused_after_the_credentials(method: str) -> None:
    for path, reason in (("SEC/", Reason.METHOD), ("WRONG/", Reason.UNAUTHORIZED)):
        asked = request(f"/callback/KEY/{path}", method=method)
        with pytest.raises(Refusal) as caught:
            STRICT.read(STRICT.match(method, asked.path), asked)
        assert caught.value.reason is reason


def with_credential(name: str, secret: str) -> Dialect:
    settings = DialectSettings(api_key=Secret("KEY"), server_secret=Secret("SEC"))
    sections = {"credential": {name: CredentialSettings(secret=Secret(secret))}}
    return build(settings, Surroundings(Claims({}), sections=sections))
