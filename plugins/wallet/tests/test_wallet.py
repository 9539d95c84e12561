"""A service adds coins to a player's wallet and spends them, often and all at once."""

import asyncio

import pytest

from tests.serving import Answer, Serve, Served
from tests.store.opened import make_tables

CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:wallet]
secret = WAL

[hooks]
deadline = 60
"""
FIRED = "on_callback wallet (wallet)"


async def started(serve: Serve, conf: str = CONF) -> Served:
    served = await serve(conf, enable="wallet")
    await served.server.store.players.create("p1")
    await served.server.store.players.create("p2")
    return served


async def call_back(served: Served, query: str, player: str = "p1") -> Answer:
    return await served.request("GET", f"/callback/KEY/wallet/WAL/{player}?{query}")


async def coins(served: Served, query: str, player: str = "p1") -> int:
    """What an accepted callback answers."""
    answer = await call_back(served, query, player)
    assert answer.status == 200, answer.body
    (told,) = answer.json().items()
    assert told[0] == "coins"
    return int(told[1])


def refused(answer: Answer, words: str) -> None:
    assert (answer.status, answer.json()) == (400, {"error": {"script": words}})


async def kept(served: Served) -> dict[str, int]:
    """The coins of each player as they are stored."""
    wallets = await served.server.store.objects.find("Wallet")
    return {one["objectId"]: one["coins"] for one in wallets}


async def test_coins_are_added_and_spent(serve: Serve) -> None:
    served = await started(serve)
    assert await coins(served, "add=5&reference=a") == 5
    assert await coins(served, "add=2&reference=b") == 7
    assert await coins(served, "spend=7&reference=c") == 0
    assert await coins(served, "add=1&reference=d", "p2") == 1
    assert await kept(served) == {"p1": 0, "p2": 1}
    assert served.fired == [FIRED] * 4
    changes = [vars(line)["change"] for line in served.logged("wallet changed")]
    assert changes == [5, 2, -7, 1]


async def test_a_reference_counts_once_and_the_answer_tells_what_there_is(serve: Serve) -> None:
    served = await started(serve)
    assert await coins(served, "add=5&reference=a") == 5
    assert await coins(served, "add=5&reference=a") == 5
    assert await coins(served, "spend=2&reference=b") == 3
    assert await coins(served, "add=5&reference=a") == 3
    assert await coins(served, "spend=2&reference=b") == 3
    assert await kept(served) == {"p1": 3}


@pytest.mark.parametrize(
    ("query", "player"),
    [
        ("add=5&reference=a", "p2"),
        ("add=6&reference=a", "p1"),
        ("spend=5&reference=a", "p1"),
    ],
)
async def test_a_reference_stands_for_one_change_of_one_player(
    serve: Serve, query: str, player: str
) -> None:
    served = await started(serve)
    assert await coins(served, "add=5&reference=a") == 5
    refused(await call_back(served, query, player), "This reference was used for something else")
    assert await kept(served) == {"p1": 5}


async def test_fifty_credits_at_the_same_time_lose_nothing(serve: Serve) -> None:
    served = await started(serve)
    answers = await asyncio.gather(
        *(coins(served, f"add=3&reference=r{number}") for number in range(50))
    )
    assert sorted(answers) == [3 * (number + 1) for number in range(50)]
    assert await kept(served) == {"p1": 150}
    assert served.fired == [FIRED] * 50


async def test_two_servers_change_the_same_wallet_and_lose_nothing(
    serve: Serve, postgres_url: str
) -> None:
    await make_tables(postgres_url)
    conf = f"{CONF}\n[store]\nurl = {postgres_url}\n"
    one = await started(serve, conf)
    other = await serve(conf, enable="wallet")
    sent = [f"add=3&reference=r{number % 10}" for number in range(20)]
    await asyncio.gather(*(coins(served, query) for query in sent for served in (one, other)))
    assert await kept(one) == await kept(other) == {"p1": 30}


async def test_a_reference_sent_many_times_at_once_counts_once(serve: Serve) -> None:
    served = await started(serve)
    sent = [f"add=3&reference=r{number % 5}" for number in range(40)]
    await asyncio.gather(*(coins(served, query) for query in sent))
    assert await kept(served) == {"p1": 15}
    assert len(served.logged("wallet changed")) == 5


async def test_of_too_many_spends_at_once_the_affordable_ones_are_let_through(
    serve: Serve,
) -> None:
    served = await started(serve)
    await coins(served, "add=20&reference=start")
    answers = await asyncio.gather(
        *(call_back(served, f"spend=3&reference=r{number}") for number in range(20))
    )
    paid = [answer.json()["coins"] for answer in answers if answer.status == 200]
    assert sorted(paid) == [2, 5, 8, 11, 14, 17]
    for answer in answers:
        if answer.status != 200:
            refused(answer, "Not enough coins")
    assert await kept(served) == {"p1": 2}


async def test_what_could_not_be_afforded_can_be_once_there_are_coins(serve: Serve) -> None:
    served = await started(serve)
    refused(await call_back(served, "spend=3&reference=a"), "Not enough coins")
    assert await coins(served, "add=4&reference=b") == 4
    assert await coins(served, "spend=3&reference=a") == 1


async def test_what_a_crash_interrupted_is_made_good_by_a_repetition(serve: Serve) -> None:
    served = await started(serve)
    objects = served.server.store.objects
    entry = {"player": "p1", "coins": 5, "counted": False}
    # Noted, and no more.
    await objects.insert("WalletEntry", "a", entry)
    assert await coins(served, "add=5&reference=a") == 5
    # Counted, but not marked as such: the wallet names it.
    assert (await objects.get("WalletEntry", "a"))["counted"] is False
    assert await coins(served, "add=5&reference=a") == 5
    assert (await objects.get("WalletEntry", "a"))["counted"] is True
    assert await coins(served, "add=1&reference=b") == 6
    assert await coins(served, "add=5&reference=a") == 6


@pytest.mark.parametrize("player", ["nobody", ""])
async def test_a_player_nobody_knows_has_no_wallet(serve: Serve, player: str) -> None:
    served = await started(serve)
    refused(
        await call_back(served, "add=5&reference=a", player),
        "A wallet needs a player, and nobody is known by the id in the URL",
    )
    assert await kept(served) == {}
    assert served.fired == [FIRED]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("reference=a", "A callback says either add or spend"),
        ("add=1&spend=1&reference=a", "A callback says either add or spend"),
        ("add=&reference=a", "add is a whole number of coins"),
        ("add=-1&reference=a", "add is a whole number of coins"),
        ("add=1.5&reference=a", "add is a whole number of coins"),
        ("add=1e3&reference=a", "add is a whole number of coins"),
        ("add=%D9%A1&reference=a", "add is a whole number of coins"),
        ("spend=1&spend=1&reference=a", "spend is a whole number of coins"),
        (f"add={'9' * 5000}&reference=a", "add is a whole number of coins"),
        ("add=0&reference=a", "add is a number from 1 to 1000000"),
        ("spend=1000001&reference=a", "spend is a number from 1 to 1000000"),
        *(
            (
                f"add=1{reference}",
                "reference is 1 to 128 ASCII characters without spaces and slashes",
            )
            for reference in (
                "",
                "&reference=",
                "&reference=a%20b",
                "&reference=a/b",
                "&reference=%C3%A9",
                "&reference=a&reference=b",
                f"&reference={'r' * 129}",
            )
        ),
    ],
)
async def test_what_cannot_be_counted_is_refused(serve: Serve, query: str, words: str) -> None:
    served = await started(serve)
    refused(await call_back(served, query), words)
    assert await kept(served) == {}
    assert await served.server.store.objects.count("WalletEntry") == 0


async def test_how_many_coins_one_callback_may_add_is_a_setting(serve: Serve) -> None:
    served = await started(serve, f"{CONF}\n[plugin:wallet]\nmax_coins = 3\n")
    assert await coins(served, "add=3&reference=a") == 3
    refused(await call_back(served, "add=4&reference=b"), "add is a number from 1 to 3")


async def test_a_wrong_secret_changes_no_wallet(serve: Serve) -> None:
    served = await started(serve)
    answer = await served.request("GET", "/callback/KEY/wallet/SEC/p1?add=5&reference=a")
    assert answer.status == 403
    assert served.fired == []
    assert await kept(served) == {}
