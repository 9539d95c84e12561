"""Reviews before they are stored, as a Parse Server sends them."""

from typing import Any

import pytest

from tests.serving import PARSE, Serve
from tornado_cc.settings import Mistakes


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
