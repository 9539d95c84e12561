"""Posts about to be stored or removed, as a Parse Server asks for leave."""

from typing import Any

import pytest

from tests.serving import PARSE, Serve, Served

CONF = f"{PARSE}\n[plugin:bloggers]\npaid_up = matt, lValKpphWN\n"
OUTSTANDING = {
    "error": "You have outstanding charges on your account."
    " Please update your credit card information before proceeding."
}

triggers = pytest.mark.parametrize("trigger", ["beforeSave", "beforeDelete"])


async def ask(served: Served, trigger: str, **caller: Any) -> Any:
    post = {"className": "Post", "objectId": "jsUd72Sd2l"}
    return await served.webhook("", {"triggerName": trigger, "object": post, **caller})


@triggers
async def test_a_user_who_has_paid_may_go_on(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, user={"objectId": "lValKpphWN"}) == {}
    hook = {"beforeSave": "before_save", "beforeDelete": "before_delete"}[trigger]
    assert served.fired == [f"{hook} Post (bloggers)"]


@triggers
@pytest.mark.parametrize("user", [{"objectId": "stranger"}, {"username": "matt"}, {}])
async def test_a_user_who_has_not_paid_is_refused(
    serve: Serve, trigger: str, user: dict[str, Any]
) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, user=user, master=False) == OUTSTANDING


@triggers
async def test_nobody_has_paid_while_the_setting_is_empty(serve: Serve, trigger: str) -> None:
    served = await serve(enable="bloggers")
    assert await ask(served, trigger, user={"objectId": "lValKpphWN"}) == OUTSTANDING


@triggers
async def test_somebody_who_is_not_logged_in_is_refused(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    answer = await ask(served, trigger, master=False)
    assert answer == {"error": "Please log in before proceeding."}


@triggers
async def test_the_master_key_may_do_anything(serve: Serve, trigger: str) -> None:
    served = await serve(CONF, enable="bloggers")
    assert await ask(served, trigger, master=True) == {}
