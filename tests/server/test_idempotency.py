"""A sender's repeat gets the answer of the first and runs nothing."""

from pathlib import Path

import pytest

from tests.server.repeating import (
    CLIENT,
    CONF,
    DEFAULT,
    FIRED,
    HEADER,
    MASTER,
    OTHER_TOKEN,
    PLUGINS,
    SHOP,
    TOKEN,
    ask,
    is_repeat,
    lines,
    ran_again,
    started,
)
from tests.serving import Serve


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (DEFAULT, {}, 200),
        (SHOP, {}, 200),
        (f"{SHOP}ann", {}, 200),
        (f"{DEFAULT}?do=raw&charset=iso-8859-1", {}, 201),
        (f"{DEFAULT}?do=raw&charset=utf-8", {}, 201),
        (f"{DEFAULT}?status=204", {}, 204),
        (f"{DEFAULT}?status=404", {}, 404),
        (f"{DEFAULT}?do=refuse", {}, 400),
        (f"{DEFAULT}?do=large&size=200000", {}, 200),
        ("/buy", CLIENT, 200),
        ("/buy", TOKEN, 200),
        ("/buy?do=status&status=302", MASTER, 302),
        ("/buy?do=refuse", CLIENT, 403),
        ("/buy?do=code&code=110", CLIENT, 404),
        ("/plain", CLIENT, 200),
    ],
)
async def test_a_repeat_gets_the_same_answer_to_the_byte_and_runs_nothing(
    serve: Serve, path: str, headers: dict[str, str], status: int
) -> None:
    served = await started(serve)
    first = await ask(served, path, headers)
    assert (first.status, first.header("Idempotent-Replayed")) == (status, None)
    assert len(served.fired) == 1
    for _ in range(3):
        assert is_repeat(first, await ask(served, path, headers))
    assert len(served.fired) == 1
    assert len(served.logged("repeat answered")) == 3


async def test_a_hook_reads_the_id(serve: Serve) -> None:
    served = await started(serve)
    assert (await ask(served, key="  order-18 ")).json()["id"] == "order-18"
    assert (await ask(served, key=None)).json()["id"] is None


async def test_every_id_is_run_once(serve: Serve) -> None:
    served = await started(serve)
    runs = [(await ask(served, key=key)).json()["run"] for key in ("a", "A", "b", "a", "b", "A")]
    assert runs[:3] == [runs[3], runs[5], runs[4]]
    assert len(set(runs)) == 3
    assert served.fired == [FIRED] * 3


async def test_without_an_id_nothing_is_a_repeat(serve: Serve) -> None:
    served = await started(serve)
    same = {"X-Request-Id": "order-17", "Content-Type": "application/json"}
    for _ in range(2):
        answer = await ask(served, DEFAULT, same, key=None, body=b'{"id": "order-17"}')
        assert answer.header("Idempotent-Replayed") is None
    assert served.fired == [FIRED] * 2


async def test_the_first_of_the_headers_counts(serve: Serve) -> None:
    served = await started(serve)
    first = await ask(served, headers={"webhook-id": "msg-1"}, key=None)
    assert is_repeat(first, await ask(served, headers={"Webhook-Id": "msg-1"}, key=None))
    other = await ask(served, headers={"webhook-id": "msg-1"}, key="order-17")
    assert not is_repeat(first, other)
    assert is_repeat(other, await ask(served, headers={"webhook-id": "msg-2"}, key="order-17"))
    assert served.fired == [FIRED] * 2


async def test_the_conf_says_which_headers_hold_an_id(serve: Serve) -> None:
    conf = CONF.replace("server_secret", "idempotency_headers = X-Event\nserver_secret")
    served = await started(serve, "idempotency_headers =", conf)
    await ran_again(served, DEFAULT)
    await ran_again(served, "/buy", headers=CLIENT)
    first = await ask(served, headers={"X-Event": "1"})
    assert is_repeat(first, await ask(served, headers={"X-Event": "1"}))


async def test_who_only_asks_an_endpoint_is_answered_anew(serve: Serve) -> None:
    served = await started(serve)
    for method in ("POST", "PUT"):
        first = await ask(served, "/buy", CLIENT, method=method)
        assert is_repeat(first, await ask(served, "/buy", CLIENT, method=method))
    await ran_again(served, "/buy", headers=CLIENT, method="GET")
    assert (await ask(served, "/buy", {**CLIENT, HEADER: ""}, method="GET")).status == 200


async def test_a_callback_by_any_method_is_run_once(serve: Serve) -> None:
    served = await started(serve)
    first = await ask(served, method="GET")
    for method in ("GET", "POST"):
        assert is_repeat(first, await ask(served, method=method))
    head = await ask(served, method="HEAD")
    assert (head.status, head.body, lines(head)) == (200, b"", lines(first))
    assert served.fired == [FIRED]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "The header Idempotency-Key is empty"),
        (" \t ", "The header Idempotency-Key is empty"),
        ("x" * 256, "The header Idempotency-Key is longer than 255 characters"),
    ],
)
async def test_an_id_that_is_none_is_refused(serve: Serve, key: str, problem: str) -> None:
    served = await started(serve)
    answer = await ask(served, key=key)
    assert (answer.status, answer.json()) == (400, {"error": problem})
    answer = await ask(served, "/buy", CLIENT, key=key)
    error = {"name": "BadRequest", "code": 107, "message": problem}
    assert (answer.status, answer.json()) == (400, {"error": error})
    assert (await ask(served, DEFAULT.replace("SECRET", "guess"), key=key)).status == 403
    assert served.fired == []


async def test_an_id_may_have_255_characters(serve: Serve) -> None:
    served = await started(serve)
    first = await ask(served, key="\xe4" * 255)
    assert is_repeat(first, await ask(served, key="\xe4" * 255))
    assert not is_repeat(first, await ask(served, key="\xe4" * 254 + "e"))


async def test_the_same_id_of_another_sender_or_for_another_thing_is_another_request(
    serve: Serve,
) -> None:
    served = await started(serve)
    asked: list[tuple[str, dict[str, str], str]] = [
        (DEFAULT, {}, "POST"),
        (f"{DEFAULT}ann", {}, "POST"),
        (f"{DEFAULT}ben", {}, "POST"),
        (SHOP, {}, "POST"),
        (f"{SHOP}ann", {}, "POST"),
        ("/buy", CLIENT, "POST"),
        ("/buy", MASTER, "POST"),
        ("/buy", TOKEN, "POST"),
        ("/buy", OTHER_TOKEN, "POST"),
        ("/buy", {**CLIENT, **TOKEN}, "POST"),
        ("/buy", CLIENT, "PUT"),
        ("/sell", CLIENT, "POST"),
        ("/buy/1", CLIENT, "POST"),
        ("/buy/2", CLIENT, "POST"),
        ("/buy/2", CLIENT, "DELETE"),
    ]
    answers = [await ask(served, path, headers, method=how) for path, headers, how in asked]
    assert [one.status for one in answers] == [200] * len(asked)
    assert len(served.fired) == len(asked)
    for (path, headers, how), first in zip(asked, answers, strict=True):
        assert is_repeat(first, await ask(served, path, headers, method=how))
    assert len(served.fired) == len(asked)


async def test_a_caller_whom_nobody_knows_has_no_repeats(serve: Serve) -> None:
    served = await started(serve)
    await ran_again(served, "/buy")
    await ran_again(served, "/buy", headers={"X-Skygear-API-Key": "guess"})
    await ran_again(served, "/buy", headers={"X-Skygear-Access-Token": "guess"})


async def test_an_answer_is_for_those_with_good_credentials_only(serve: Serve) -> None:
    served = await started(serve)
    first = await ask(served)
    assert first.status == 200
    answer = await ask(served, DEFAULT.replace("SECRET", "guess"))
    assert (answer.status, answer.json()) == (403, {"error": "Forbidden"})
    assert is_repeat(first, await ask(served))
    assert served.fired == [FIRED]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{DEFAULT}?do=raise", {}, 500),
        (f"{DEFAULT}?do=hang", {}, 500),
        (f"{DEFAULT}?do=later", {}, 400),
        (f"{DEFAULT}?do=log%20in", {}, 400),
        (f"{DEFAULT}?do=header&name=Content-Length&value=1", {}, 500),
        *((f"{DEFAULT}?status={one}", {}, one) for one in (401, 408, 425, 429, 500, 503, 599)),
        ("/buy?do=raise", CLIENT, 500),
        ("/buy?do=code&code=10000", CLIENT, 500),
        ("/buy?do=code&code=118", CLIENT, 503),
        ("/buy?do=code&code=104", CLIENT, 401),
        ("/buy?do=status&status=500", CLIENT, 500),
    ],
)
async def test_what_failed_or_asks_for_a_repeat_is_run_again(
    serve: Serve, path: str, headers: dict[str, str], status: int
) -> None:
    served = await started(serve, "[hooks]\ndeadline = 0.3\n")
    assert (await ask(served, path, headers)).status == status
    assert len(served.fired) == 1
    answer = await ask(served, path, headers)
    assert (answer.status, answer.header("Idempotent-Replayed")) == (status, None)
    assert len(served.fired) == 2
    last = await ask(served, path.partition("?")[0], headers)
    assert last.status == 200
    assert is_repeat(last, await ask(served, path, headers))
    assert len(served.fired) == 3


async def test_what_nobody_serves_is_not_kept(serve: Serve) -> None:
    served = await serve(CONF.format(more=""))
    for path, headers, status in ((DEFAULT, {}, 200), ("/nowhere", CLIENT, 404)):
        for _ in range(2):
            answer = await ask(served, path, headers)
            assert (answer.status, answer.header("Idempotent-Replayed")) == (status, None)
    assert served.fired == []


async def test_a_repeat_after_a_restart_gets_the_answer_of_before(
    serve: Serve, tmp_path: Path
) -> None:
    more = f"[store]\nurl = sqlite:///{tmp_path}/one.db\n"
    served = await serve(CONF.format(more=more), PLUGINS)
    first = await ask(served)
    await served.server.stop()
    again = await serve(CONF.format(more=more), PLUGINS)
    assert is_repeat(first, await ask(again))
    assert again.fired == []
