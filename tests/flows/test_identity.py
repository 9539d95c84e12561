"""One identity: a GameSparks player, a Parse user and a Skygear user with one id are the same."""

import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.serving import Answer, Serve, Served

CONF = """
[dialect:parse]
webhook_key = test-key
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
[dialect:skygear]
api_key = client-key
master_key = master-key
"""
HOOKS = """
    from tornado_cc import Plugin

    plugin = Plugin("who")

    def facts(call):
        call.player and call.player.private_data.setdefault("seen", []).append(call.dialect)
        return {
            "user_id": call.user_id,
            "player": call.player and call.player.id,
            "seen": call.player and call.player.private_data["seen"],
        }

    @plugin.on_callback
    async def callback(call):
        call.script_data.update(facts(call))

    @plugin.cloud_function("who")
    async def function(call):
        return facts(call)

    @plugin.cloud_function("plain")
    def plain(call):
        return facts(call)

    @plugin.cloud_function("hello")
    async def hello(call):
        return "Hello"

    @plugin.before_save("Review")
    async def save(call):
        call.object["by"] = facts(call)["player"]

    @plugin.after_save("Review")
    def saved(call):
        facts(call)

    @plugin.handler("who")
    async def endpoint(request):
        return facts(request.call)

    @plugin.handler("plain")
    def plain_endpoint(request):
        return facts(request.call)

    @plugin.handler("user", user_required=True)
    def user_endpoint(request):
        return facts(request.call)

    @plugin.handler("hello")
    def hello_endpoint(request):
        return "Hello"
"""
NOBODY = {"user_id": None, "player": None, "seen": None}
AWAY = "The database is not available, please try again"


def seen(*dialects: str) -> dict[str, Any]:
    return {"user_id": "u1", "player": "u1", "seen": list(dialects)}


async def callback(served: Served, player: str = "u1") -> Answer:
    return await served.request("GET", f"/callback/KEY/SEC/{player}")


async def function(served: Served, name: str = "who", user: Any = "u1") -> Any:
    body = {"user": {"objectId": user, "sessionToken": "r:1"}} if user else {}
    return await served.webhook(f"/functions/{name}", body)


async def endpoint(served: Served, token: str, path: str = "/who") -> Answer:
    return await served.request("GET", path, {"X-Skygear-Access-Token": token})


async def known(serve: Serve) -> tuple[Served, str]:
    """A server with one user, and a token of theirs."""
    served = await serve(CONF, {"who": HOOKS})
    await served.store.users.add("zoe", user_id="u1")
    return served, (await served.store.users.issue("u1")).token


async def test_one_id_sees_the_same_data_in_all_three_dialects(serve: Serve) -> None:
    served, token = await known(serve)
    assert (await callback(served)).json() == seen("gamesparks")
    assert (await function(served))["success"] == seen("gamesparks", "parse")
    assert (await endpoint(served, token)).json() == seen("gamesparks", "parse", "skygear")
    third = await endpoint(served, token, "/plain")
    assert third.json() == seen("gamesparks", "parse", "skygear", "skygear")
    assert (await function(served, "plain"))["success"]["seen"][3:] == ["skygear", "parse"]
    assert served.fired == [
        "on_callback * (who)",
        "cloud_function who (who)",
        "http_endpoint /who.GET (who)",
        "http_endpoint /plain.GET (who)",
        "cloud_function plain (who)",
    ]


async def test_the_hooks_of_a_parse_save_have_its_user_as_their_player(serve: Serve) -> None:
    served, _ = await known(serve)
    body = {"object": {"className": "Review", "stars": 3}, "user": {"objectId": "u1"}}
    answer = await served.webhook("/triggers/Review/beforeSave", body)
    assert answer["success"]["by"] == "u1"
    await served.webhook("/triggers/Review/afterSave", body)
    assert await served.until_fired(2) == ["before_save Review (who)", "after_save Review (who)"]
    await served.server.drain()
    player = await served.store.players.load("u1")
    assert player is not None
    assert player.private_data == {"seen": ["parse", "parse"]}


@pytest.mark.parametrize("user", [None, "nobody", 5, "a\0b", "\ud7ff/", {"a": 1}])
async def test_a_parse_user_whom_the_store_does_not_know_is_no_player(
    serve: Serve, user: Any
) -> None:
    served, _ = await known(serve)
    answer = await function(served, user=user)
    user_id = user if isinstance(user, str) else None
    assert answer == {"success": {**NOBODY, "user_id": user_id}}


async def test_an_endpoint_without_a_user_has_no_player(serve: Serve) -> None:
    served, _ = await known(serve)
    assert (await served.request("GET", "/who")).json() == NOBODY
    master = await served.request("GET", "/user", {"X-Skygear-API-Key": "master-key"})
    assert master.json() == {"user_id": "_god", "player": None, "seen": None}


async def test_who_logs_in_from_a_hook_calls_an_endpoint_with_that_token(serve: Serve) -> None:
    logging_in = """
        from tornado_cc import Plugin
        plugin = Plugin("login")

        @plugin.on_callback
        async def log_in(call):
            session = await call.store.users.log_in("zoe", call.data["password"])
            call.script_data["token"] = session.token
    """
    served = await serve(CONF, {"who": HOOKS, "login": logging_in})
    await served.store.users.add("zoe", "a long password", user_id="u1")
    path = "/callback/KEY/SEC/?password=a%20long%20password"
    token = (await served.request("GET", path)).json()["token"]
    assert (await endpoint(served, token, "/user")).json() == seen("skygear")


@pytest.fixture
def away() -> Iterator[str]:
    """A [store] whose PostgreSQL nobody can reach."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        yield f"\n[store]\nurl = postgresql://owner:password@127.0.0.1:{port}/kept\ntimeout = 2\n"


def unavailable(answer: Answer) -> bool:
    seconds = answer.header("Retry-After")
    return answer.status == 503 and seconds is not None and int(seconds) > 0


async def test_without_its_database_a_function_answers_that_needs_no_player(
    serve: Serve, away: str
) -> None:
    served = await serve(CONF + away, {"who": HOOKS})
    assert await function(served, "hello") == {"success": "Hello"}
    for name in ("who", "plain"):
        answer = await function(served, name)
        assert answer == {"error": {"code": 1, "message": AWAY}}
    assert (await function(served, user=None))["success"] == NOBODY
    assert (await served.request("GET", "/readyz")).status == 503
    assert served.fired == [
        f"cloud_function {name} (who)" for name in ("hello", "who", "plain", "who")
    ]


async def test_without_its_database_a_callback_with_a_player_is_503(
    serve: Serve, away: str
) -> None:
    served = await serve(CONF + away, {"who": HOOKS})
    answer = await callback(served)
    assert unavailable(answer)
    assert answer.json() == {"error": AWAY}
    assert (await callback(served, "")).json() == NOBODY
    assert served.fired == ["on_callback * (who)"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Skygear-Access-Token": "any"},
        {"X-Skygear-Access-Token": "any", "X-Skygear-API-Key": "client-key"},
    ],
)
async def test_without_its_database_nobody_can_tell_whose_a_token_is(
    serve: Serve, away: str, headers: Mapping[str, str]
) -> None:
    served = await serve(CONF + away, {"who": HOOKS})
    for path in ("/user", "/hello"):
        answer = await served.request("GET", path, headers)
        assert unavailable(answer)
        assert answer.json()["error"] == {
            "name": "PluginUnavailable",
            "code": 118,
            "message": AWAY,
        }
    assert (await served.request("GET", "/hello")).body == b"Hello"
    assert served.fired == ["http_endpoint /hello.GET (who)"]
