"""What a hook has as `call.store`, in the name of its call."""

from typing import Any

import pytest

from tests.flows.writing import WATCHER, WRITING, plain, started, write
from tests.serving import PARSE, Serve

USERS = """
from tornado_cc import Plugin, Refusal

plugin = Plugin("accounts")


@plugin.cloud_function("log_in")
async def log_in(call):
    users = call.store.users
    try:
        session = await users.log_in(call.params["name"], call.params["password"])
    except Refusal as refusal:
        return {"refused": type(refusal).__name__, "wait": refusal.retry_after}
    user = await users.get(session.user_id)
    await users.log_out(session.token)
    return {"user": user.user_name}


@plugin.cloud_function("sign_up")
def sign_up(call):
    made = call.store.users.add(call.params["name"], call.params["password"])
    player = call.store.players.load(made.id)
    player.private_data["level"] = 1
    player.persist()
    return call.store.players.load(made.id).private_data
"""


@pytest.mark.parametrize("name", ["_User", "a b", "", "x;drop", None, 1])
async def test_a_class_that_cannot_be_called_so_is_refused(serve: Serve, name: Any) -> None:
    served = await started(serve, watcher=WATCHER)
    body = {"how": "create", "class": name, "args": [{}], "options": {}}
    answer = await served.webhook("/functions/write", {"params": body})
    assert "class" in str(answer["error"])
    assert served.fired == [WRITING]


async def test_a_hook_reads_the_fields_it_asks_for(serve: Serve) -> None:
    served = await started(serve)
    await served.server.store.objects.insert("Thing", "t1", {"n": 1, "m": 2})
    assert plain(await write(served, "get", "t1", keys="n")) == {"n": 1}
    assert plain(await write(served, "first", {"n": 1}, keys=["m"], order="-n")) == {"m": 2}
    assert await write(served, "first", {"n": 2}) is None
    assert (await write(served, "get", "t2"))["refused"] == "ObjectNotFound"


async def test_a_plain_hook_adds_a_user_who_then_logs_in(serve: Serve) -> None:
    served = await serve(PARSE, {"accounts": USERS})
    ann = {"params": {"name": "ann", "password": "correct horse"}}
    assert await served.webhook("/functions/sign_up", ann) == {"success": {"level": 1}}
    assert await served.webhook("/functions/log_in", ann) == {"success": {"user": "ann"}}


async def test_guesses_through_a_hook_block_the_client_and_not_its_parse_server(
    serve: Serve,
) -> None:
    conf = PARSE + "[server]\nbad_credentials_per_minute = 3\n"
    served = await serve(conf, {"accounts": USERS})
    await served.server.store.users.add("ann", "correct horse")

    async def log_in(password: str, ip: str) -> Any:
        body = {"params": {"name": "ann", "password": password}, "ip": ip}
        return (await served.webhook("/functions/log_in", body))["success"]

    for _ in range(3):
        assert (await log_in("wrong", "192.0.2.1"))["refused"] == "BadCredentials"
    assert len(served.logged("address blocked after bad credentials")) == 1
    blocked = await log_in("correct horse", "192.0.2.1")
    assert blocked["refused"] == "Refusal"
    assert blocked["wait"] > 0
    # The Parse Server itself sent no bad credential, and its other clients neither.
    assert await log_in("correct horse", "192.0.2.2") == {"user": "ann"}
