"""Which answers are kept for repeats: no secret gets into the database with them."""

from pathlib import Path

import pytest

from tests.server.repeating import (
    CLIENT,
    CONF,
    DEFAULT,
    FIRED,
    TOKEN,
    ask,
    is_repeat,
    ran_again,
    started,
)
from tests.serving import Serve
from tornado_cc.dialects.gamesparks import write

NOT_KEPT = "This request was answered before, and the answer is not kept"


def stored(folder: Path) -> bytes:
    """Everything that the first server's database has on the disk."""
    return b"".join(file.read_bytes() for file in folder.glob("0/store.db*"))


@pytest.mark.parametrize(
    ("path", "headers", "hidden"),
    [
        (f"{DEFAULT}?say=SECRET-of-the-shop", {}, b"SECRET-of-the-shop"),
        (f"{DEFAULT}?do=header&name=X-A&value=SECRET-of-the-shop", {}, b"SECRET-of-the-shop"),
        (f"{DEFAULT}?say=hunter22&password=hunter22", {}, b"hunter22"),
        (f"{DEFAULT}?say=r%3A0123456789abcdef0123456789abcdef", {}, b"r:0123456789abcdef"),
        (f"{DEFAULT}?do=header&name=Set-Cookie&value=a%3Dopaque", {}, b"opaque"),
        (f"{DEFAULT}?do=raw&charset=utf-16&say=opaque", {}, "opaque".encode("utf-16-le")),
        (f"{DEFAULT}?do=raw&charset=cp500&say=opaque", {}, "opaque".encode("cp500")),
        (f"{DEFAULT}?do=raw&charset=punycode&say=opaque", {}, b"opaque"),
        (f"{DEFAULT}?do=large&size=1048577", {}, b" " * 1000),
        ("/buy?do=cookie", CLIENT, b"opaque"),
        ("/buy?do=gzip", CLIENT, b"\x1f\x8b\x08"),
    ],
)
async def test_an_answer_with_a_secret_or_too_large_is_not_kept_and_not_run_again(
    serve: Serve, tmp_path: Path, path: str, headers: dict[str, str], hidden: bytes
) -> None:
    served = await started(serve)
    assert (await ask(served, path, headers)).status in (200, 201)
    for _ in range(2):
        answer = await ask(served, path, headers)
        assert (answer.status, answer.header("Retry-After")) == (409, None)
        error: object = {"name": "Duplicated", "code": 109, "message": NOT_KEPT}
        assert answer.json() == {"error": error if path.startswith("/buy") else NOT_KEPT}
    assert len(served.fired) == 1
    await served.server.stop()
    assert hidden not in stored(tmp_path)
    assert {vars(one)["refused"] for one in served.logged("request")[1:]} == {"answered before"}


async def test_a_secret_in_another_charset_is_found(serve: Serve) -> None:
    served = await started(serve, conf=CONF.replace("of-the-shop", "\xe4\xf6\xfc"))
    for charset, status in (("iso-8859-1", 409), ("utf-8", 409)):
        path = f"{DEFAULT}?do=raw&charset={charset}&say=SECRET-%C3%A4%C3%B6%C3%BC"
        first = await ask(served, path, key=charset)
        assert (first.status, (await ask(served, path, key=charset)).status) == (201, status)
    assert served.fired == [FIRED] * 2


async def test_an_answer_that_cannot_be_sent_is_not_kept(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await started(serve)
    # A dialect that does not look at what it spells.
    monkeypatch.setattr(write, "check", lambda script_data: None)
    path = f"{DEFAULT}?do=header&name=X-A&value=a%0D%0Ab"
    assert (await ran_again(served, path)).status == 500
    assert is_repeat(await ask(served), await ask(served))


async def test_json_with_a_secret_by_its_name_is_not_kept(serve: Serve) -> None:
    source = """
        from tornado_cc import Plugin
        plugin = Plugin("login")
        @plugin.on_callback(credential="server")
        async def log_in(call):
            name = call.data["name"]
            return {"user": {name: "opaque" if "full" in call.data else ""}}
    """
    served = await serve(CONF.format(more=""), {"login": source})
    for query, status in [
        ("name=accessToken&full", 409),
        ("name=password&full", 409),
        ("name=password", 200),
        ("name=tokens&full", 200),
    ]:
        assert (await ask(served, f"{DEFAULT}?{query}", key=query)).status == 200
        assert (await ask(served, f"{DEFAULT}?{query}", key=query)).status == status, query
    assert served.fired == ["on_callback server (login)"] * 4


async def test_neither_log_nor_database_holds_the_id(serve: Serve, tmp_path: Path) -> None:
    served = await started(serve)
    for _ in range(2):
        await ask(served, key="CANARY-of-the-sender")
        await ask(served, "/buy", TOKEN, key="CANARY-of-the-sender")
        await ask(served, f"{DEFAULT}?do=raise", key="CANARY-of-another")
    await served.server.stop()
    assert not [one for one in served.records if "CANARY" in str(vars(one))]
    assert b"CANARY-of-another" not in stored(tmp_path)
