"""Reviews before and after they are stored, as a Parse Server sends them."""

from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.receiver import Receiver
from tests.serving import PARSE, Serve, Served
from tornado_cc.settings import Mistakes

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CREATED = {"className": "Review", "objectId": "r1", "comment": "ok", "stars": 4, "author": "ann"}


def save(**fields: Any) -> dict[str, Any]:
    return {"triggerName": "beforeSave", "object": {"className": "Review", **fields}}


async def test_a_comment_over_140_characters_ends_in_three_dots(serve: Serve) -> None:
    served = await serve(enable="reviews")
    answer = await served.webhook("", save(comment="x" * 141, stars=4))
    assert answer == {"success": {"comment": "x" * 137 + "...", "stars": 4}}
    assert served.fired == ["before_save Review (reviews)"]


@pytest.mark.parametrize(
    "fields",
    [
        {"comment": "x" * 140},
        {"comment": ""},
        {"comment": None},
        {"comment": {"__op": "Delete"}},
        {"comment": ["x"] * 200},
        {"stars": 4},
    ],
)
async def test_anything_else_is_stored_as_it_came(serve: Serve, fields: dict[str, Any]) -> None:
    served = await serve(enable="reviews")
    assert await served.webhook("", save(**fields)) == {}


async def test_an_update_sends_back_the_short_comment_and_what_the_client_changed(
    serve: Serve,
) -> None:
    served = await serve(enable="reviews")
    stored = {"className": "Review", "objectId": "r1", "title": "Up", "stars": 3, "comment": "ok"}
    body = save(**{**stored, "stars": 4, "comment": "x" * 200})
    answer = await served.webhook("", {**body, "original": stored})
    assert answer == {"success": {"stars": 4, "comment": "x" * 137 + "..."}}


async def test_max_length_moves_the_limit(serve: Serve) -> None:
    served = await serve(f"{PARSE}\n[plugin:reviews]\nmax_length = 5\n", enable="reviews")
    assert await served.webhook("", save(comment="123456")) == {"success": {"comment": "12..."}}
    assert await served.webhook("", save(comment="12345")) == {}


async def test_a_max_length_too_short_for_the_dots_is_a_mistake(serve: Serve) -> None:
    with pytest.raises(Mistakes, match=r"\[plugin:reviews\] max_length .*greater than or equal"):
        await serve(f"{PARSE}\n[plugin:reviews]\nmax_length = 2\n", enable="reviews")


async def test_other_classes_are_not_its_business(serve: Serve) -> None:
    served = await serve(enable="reviews")
    body = {"triggerName": "beforeSave", "object": {"className": "Letter", "comment": "x" * 200}}
    assert await served.webhook("", body) == {"error": "Unknown trigger"}
    assert served.fired == []


async def telling(serve: Serve, receiver: Receiver) -> Served:
    """A server with somebody to tell of reviews."""
    url = receiver.at("/reviews")
    return await serve(
        f"{PARSE}\n[webhook:reviews]\nurl = {url}\nsecret = {KEY}\n", enable="reviews"
    )


async def saved(served: Served, **told: Any) -> None:
    assert await served.webhook("", {"triggerName": "afterSave", **told}) == {}


async def test_a_stored_review_is_told_of(serve: Serve, receiver: Receiver) -> None:
    served = await telling(serve, receiver)
    await saved(served, object=CREATED)
    (got,) = await receiver.until_got(1)
    event = Webhook(KEY).verify(got.body, dict(got.headers))
    assert event["type"] == "review.created"
    assert event["data"] == {"objectId": "r1", "comment": "ok", "stars": 4}


async def test_changes_of_a_review_are_told_of_in_their_order(
    serve: Serve, receiver: Receiver
) -> None:
    served = await telling(serve, receiver)
    receiver.will_say("/reviews", 500)
    await saved(served, object=CREATED)
    await receiver.until_got(1)
    await saved(served, object={**CREATED, "stars": 1}, original=CREATED)
    await served.until_fired(2)
    await served.until_idle()
    # The first keeps its place while it waits for its next attempt.
    (failed,) = await served.store.deliveries.find(kind="webhook", state="ready")
    await served.store.deliveries.retry(failed.id)
    await receiver.until_got(3)
    told = [(one.json()["type"], one.json()["data"]["stars"]) for one in receiver.got]
    assert told == [("review.created", 4), ("review.created", 4), ("review.updated", 1)]


async def test_with_nobody_to_tell_nothing_is_sent(serve: Serve) -> None:
    served = await serve(enable="reviews")
    await saved(served, object=CREATED)
    assert await served.until_fired(1) == ["after_save Review (reviews)"]
    await served.until_idle()
    assert await served.store.deliveries.find(kind="webhook") == []
