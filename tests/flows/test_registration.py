"""Webhooks registered at a Parse Server that does what a real one rarely does."""

from collections.abc import AsyncIterator

import pytest

from tests.hooks_api import HooksApi
from tornado_cc.flows.registration import Hook, Plan, Registration, declared
from tornado_cc.outbound import HttpClient, OutboundError
from tornado_cc.server.runtime import parse_server
from tornado_cc.settings import OutboundSettings, ParseServerSettings

ROOT = "https://cc.example/webhooks"
HELLO, SAVE, FILE = Hook("", "hello"), Hook("Review", "beforeSave"), Hook("@File", "afterSave")
ELSEWHERE = "https://other.example/hello"


@pytest.fixture
async def registration(hooks_api: HooksApi) -> AsyncIterator[Registration]:
    """Of three hooks."""
    texts = {"url": hooks_api.url, "application_id": "app", "master_key": "CANARY"}
    client = HttpClient(OutboundSettings())
    server = parse_server(ParseServerSettings.model_validate(texts), client)
    await client.open()
    yield Registration(server, f"{ROOT}/", [SAVE, HELLO, FILE, HELLO])
    await client.close()


async def test_what_is_missing_is_registered_one_after_another(
    hooks_api: HooksApi, registration: Registration
) -> None:
    plan = await registration.plan()
    assert plan == Plan(missing=(HELLO, FILE, SAVE))
    done = await registration.apply(plan, remove=True)
    assert done.added == [HELLO, FILE, SAVE]
    assert hooks_api.hooks == {
        ("hello",): f"{ROOT}/functions/hello",
        ("@File", "afterSave"): f"{ROOT}/triggers/@File/afterSave",
        ("Review", "beforeSave"): f"{ROOT}/triggers/Review/beforeSave",
    }
    assert hooks_api.at_once == 1
    assert hooks_api.keys == {"CANARY"}
    after = await registration.plan()
    assert after.is_clean
    assert after.kept == plan.missing


async def test_one_that_came_meanwhile_is_changed(
    hooks_api: HooksApi, registration: Registration
) -> None:
    hooks_api.hooks["hello",] = ELSEWHERE
    hooks_api.hidden.add(("hello",))
    done = await registration.apply(await registration.plan(), remove=False)
    assert (done.added, done.failed) == ([HELLO, FILE, SAVE], {})
    assert hooks_api.hooks["hello",] == f"{ROOT}/functions/hello"
    assert hooks_api.written[:2] == ["POST functions", "PUT functions/hello"]


async def test_what_is_refused_is_told_and_the_others_are_registered(
    hooks_api: HooksApi, registration: Registration
) -> None:
    hooks_api.refused.add(("@File", "afterSave"))
    done = await registration.apply(await registration.plan(), remove=False)
    assert done.added == [HELLO, SAVE]
    assert done.failed == {FILE: "Internal server error."}


async def test_what_is_registered_is_told_again(
    hooks_api: HooksApi, registration: Registration
) -> None:
    await registration.apply(await registration.plan(), remove=False)
    del hooks_api.asked[:]
    done = await registration.apply(await registration.plan(), remove=False)
    assert done.confirmed == [HELLO, FILE, SAVE]
    assert hooks_api.written == [
        "PUT functions/hello",
        "PUT triggers/@File/afterSave",
        "PUT triggers/Review/beforeSave",
    ]


async def test_one_that_is_gone_before_it_is_confirmed_is_told(
    hooks_api: HooksApi, registration: Registration
) -> None:
    await registration.apply(await registration.plan(), remove=False)
    plan = await registration.plan()
    del hooks_api.hooks["hello",]
    done = await registration.apply(plan, remove=False)
    assert done.failed == {HELLO: "no function named: hello is defined"}
    assert (await registration.plan()).missing == (HELLO,)


async def test_orphans_are_removed_when_that_is_wanted_and_others_never(
    hooks_api: HooksApi, registration: Registration
) -> None:
    hooks_api.hooks = {
        ("gone",): f"{ROOT}/functions/gone",
        ("theirs",): ELSEWHERE,
        ("near",): f"{ROOT}2/functions/near",
        ("Gone", "beforeSave"): ROOT,
    }
    plan = await registration.plan()
    gone = (Hook("", "gone"), Hook("Gone", "beforeSave"))
    assert plan.orphans == gone
    assert [*plan.others] == [Hook("", "near"), Hook("", "theirs")]
    await registration.apply(plan, remove=False)
    assert ("gone",) in hooks_api.hooks
    done = await registration.apply(await registration.plan(), remove=True)
    assert done.removed == [*gone]
    assert {("theirs",), ("near",)} <= {*hooks_api.hooks}
    await registration.remove(registration.ours(await registration.plan()))
    assert {*hooks_api.hooks} == {("theirs",), ("near",)}


async def test_one_of_ours_at_an_old_address_is_ours(
    hooks_api: HooksApi, registration: Registration
) -> None:
    hooks_api.hooks = {("hello",): f"{ROOT}/old", ("Review", "beforeSave"): ELSEWHERE}
    plan = await registration.plan()
    assert plan.moved == {HELLO: f"{ROOT}/old", SAVE: ELSEWHERE}
    assert registration.ours(plan) == (HELLO,)
    await registration.keep(plan)
    assert hooks_api.hooks["hello",] == f"{ROOT}/functions/hello"
    assert hooks_api.hooks["Review", "beforeSave"] == ELSEWHERE
    await registration.apply(await registration.plan(), remove=False)
    assert (await registration.plan()).is_clean


@pytest.mark.parametrize("status", [403, 502])
async def test_one_that_cannot_be_asked_is_an_error_without_the_key(
    hooks_api: HooksApi, registration: Registration, status: int
) -> None:
    hooks_api.down = status
    with pytest.raises(OutboundError) as caught:
        await registration.plan()
    assert "CANARY" not in f"{caught.value!r}{caught.value}"


def test_a_manifest_says_what_is_to_be_registered() -> None:
    manifest = {
        "hooks": {
            "functions": [{"name": "hello"}],
            "triggers": [{"className": "Review", "triggerName": "beforeSave"}],
            "jobs": [],
        }
    }
    assert list(declared(manifest)) == [HELLO, SAVE]
    assert [str(HELLO), str(SAVE)] == ["function hello", "trigger Review beforeSave"]
