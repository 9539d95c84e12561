"""Comments once they are stored or gone, as a Parse Server tells of them."""

from typing import Any

import pytest

from tests.serving import Serve, Served


def comment(post: object = None) -> dict[str, Any]:
    pointer = {"__type": "Pointer", "className": "Post", "objectId": post}
    fields = {"className": "Comment", "objectId": "zPnDyvj0vd"}
    return {**fields, "post": pointer} if post else fields


def after(trigger: str, body: dict[str, Any], original: Any = None) -> dict[str, Any]:
    told = {"triggerName": trigger, "object": body}
    return told if original is None else {**told, "original": original}


async def changes(served: Served) -> list[tuple[str, int]]:
    await served.until_fired(1)
    lines = [vars(one) for one in served.logged("comment count of a post")]
    return [(line["post"], line["change"]) for line in lines]


async def test_a_new_comment_is_one_more_for_its_post(serve: Serve) -> None:
    served = await serve(enable="comments")
    assert await served.webhook("", after("afterSave", comment("jsUd72Sd2l"))) == {}
    assert await changes(served) == [("jsUd72Sd2l", 1)]
    assert served.fired == ["after_save Comment (comments)"]


async def test_an_edited_comment_changes_no_count(serve: Serve) -> None:
    served = await serve(enable="comments")
    told = after("afterSave", comment("jsUd72Sd2l"), comment("jsUd72Sd2l"))
    assert await served.webhook("", told) == {}
    assert await changes(served) == []


async def test_a_comment_that_moves_to_another_post_changes_both_counts(serve: Serve) -> None:
    served = await serve(enable="comments")
    told = after("afterSave", comment("new"), comment("old"))
    assert await served.webhook("", told) == {}
    assert await changes(served) == [("old", -1), ("new", 1)]


async def test_a_deleted_comment_is_one_less_for_its_post(serve: Serve) -> None:
    served = await serve(enable="comments")
    assert await served.webhook("", after("afterDelete", comment("jsUd72Sd2l"))) == {}
    assert await changes(served) == [("jsUd72Sd2l", -1)]
    assert served.fired == ["after_delete Comment (comments)"]


@pytest.mark.parametrize("trigger", ["afterSave", "afterDelete"])
@pytest.mark.parametrize("pointer", [{}, {"post": "p"}, {"post": None}, {"post": {"objectId": 1}}])
async def test_a_comment_without_a_post_is_counted_nowhere(
    serve: Serve, trigger: str, pointer: dict[str, Any]
) -> None:
    served = await serve(enable="comments")
    assert await served.webhook("", after(trigger, {**comment(), **pointer})) == {}
    assert await changes(served) == []
    assert served.logged("hook failed") == []
