"""An offer service buys boosts for a player, sends its callbacks twice, and others try to."""

import asyncio
import hmac
import time
from typing import Any

import pytest

from tests.serving import Answer, Serve, Served

KEY = "offer-key-4711"
CONF = f"""
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:boosts]
secret = BST

[plugin:boosts]
key = {KEY}
"""
WRONG = {"error": {"signature": "WRONG"}}
FIRED, ENDED = "on_callback boosts (boosts)", "job END_BOOST (boosts)"


def signed(player: str, until: object, key: str = KEY) -> str:
    code = hmac.digest(key.encode(), f"{player}:{until}".encode(), "sha256").hex()
    return f"until={until}&signature={code}"


async def call_back(served: Served, query: str, player: str = "p1") -> Answer:
    return await served.request("GET", f"/callback/KEY/boosts/BST/{player}?{query}")


async def boosts(serve: Serve, conf: str = CONF) -> Served:
    served = await serve(conf, enable="boosts")
    await served.know("p1", "p2")
    return served


async def boost(served: Served, player: str = "p1") -> Any:
    found = await served.store.players.load(player)
    assert found is not None
    return found.private_data.get("boost")


async def states(served: Served) -> list[str]:
    return [one.state for one in reversed(await served.store.deliveries.find(kind="job"))]


async def test_a_boost_lasts_until_its_moment(serve: Serve) -> None:
    served = await boosts(serve)
    until = int(time.time()) + 4
    answer = await call_back(served, signed("p1", until))
    assert (answer.status, answer.body) == (200, b"OK")
    assert await boost(served) == {"until": until}
    assert await boost(served, "p2") is None
    assert await served.until_fired(2) == [FIRED, ENDED]
    await served.until_idle()
    assert time.time() >= until
    assert await boost(served) is None
    (line,) = served.logged('{"boost ended":"p1"}')
    assert line.name == "tornado_cc.plugin.boosts"


async def test_what_is_sent_twice_is_taken_twice_and_counts_once(serve: Serve) -> None:
    served = await boosts(serve)
    until = int(time.time()) + 1000
    answers = await asyncio.gather(*(call_back(served, signed("p1", until)) for _ in range(5)))
    assert [answer.body for answer in answers] == [b"OK"] * 5
    assert await boost(served) == {"until": until}
    assert (await states(served)).count("ready") == 1


async def test_a_longer_boost_takes_the_place_of_a_shorter_one_and_not_the_other_way(
    serve: Serve,
) -> None:
    served = await boosts(serve)
    now = int(time.time())
    for seconds in (1000, 2000, 1500):
        assert (await call_back(served, signed("p1", now + seconds))).body == b"OK"
    assert await boost(served) == {"until": now + 2000}
    assert await states(served) == ["discarded", "ready"]


async def test_a_moment_that_has_passed_is_taken_and_boosts_nobody(serve: Serve) -> None:
    served = await boosts(serve)
    assert (await call_back(served, signed("p1", int(time.time()) - 1))).body == b"OK"
    assert await boost(served) is None
    assert await states(served) == []


async def test_a_module_that_comes_too_early_comes_again(serve: Serve) -> None:
    served = await boosts(serve)
    until = int(time.time()) + 1000
    await call_back(served, signed("p1", until))
    (job,) = await served.store.deliveries.find(kind="job")
    await served.store.deliveries.retry(job.id)
    assert await served.until_fired(2) == [FIRED, ENDED]
    await served.until_idle()
    assert await boost(served) == {"until": until}
    assert await states(served) == ["done", "ready"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "until=9999999999",
        "until=9999999999&signature=",
        "until=9999999999&signature=" + "0" * 64,
        signed("p2", 9999999999),
        signed("p1", 9999999999, "another key"),
        signed("p1", 9999999999) + "&until=1",
        signed("p1", 9999999999) + "&signature=1",
    ],
)
async def test_what_the_service_has_not_signed_is_refused(query: str, serve: Serve) -> None:
    served = await boosts(serve)
    answer = await call_back(served, query)
    assert (answer.status, answer.json()) == (200, WRONG)
    assert await boost(served) is None


async def test_nobody_is_boosted_before_there_is_a_key(serve: Serve) -> None:
    served = await boosts(serve, CONF.partition("[plugin:boosts]")[0])
    assert (await call_back(served, signed("p1", 9999999999, ""))).json() == WRONG


@pytest.mark.parametrize("player", ["", "nobody"])
async def test_nobody_known_is_no_player(player: str, serve: Serve) -> None:
    served = await boosts(serve)
    answer = await call_back(served, signed(player, 9999999999), player)
    assert answer.json() == {"error": {"player": "UNKNOWN"}}


async def test_the_key_is_in_no_log(serve: Serve) -> None:
    served = await boosts(serve)
    await call_back(served, signed("p1", int(time.time()) + 1000))
    await call_back(served, "until=1&signature=2")
    assert KEY not in str([vars(record) for record in served.records])
