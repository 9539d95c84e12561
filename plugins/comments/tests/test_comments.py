"""Comments once they are stored or gone, as a Parse Server tells of them, and what is counted."""

import asyncio
from typing import Any

import pytest

from tests.receiver import Receiver, Says
from tests.serving import Serve, Served

SAVED = "after_save Comment (comments)"
GONE = "after_delete Comment (comments)"


def comment(post: object = None, number: int = 1, minute: int = 0) -> dict[str, Any]:
    """A comment as it was saved in some minute."""
    pointer = {"__type": "Pointer", "className": "Post", "objectId": post}
    fields = {
        "className": "Comment",
        "objectId": f"comment{number}",
        "updatedAt": f"2024-05-17T12:{minute:02}:00.000Z",
    }
    return {**fields, "post": pointer} if post else fields


async def saved(served: Served, *told: dict[str, Any]) -> None:
    """Tell of comments one after the other: each is counted before the next is told of."""
    for one in told:
        await tell(served, "afterSave", one)


async def tell(served: Served, trigger: str, told: dict[str, Any]) -> None:
    fired = len(served.fired)
    assert await served.webhook("", {"triggerName": trigger, "object": told}) == {}
    await served.until_fired(fired + 1)


async def counts(served: Served) -> dict[str, int]:
    stored = await served.server.store.objects.find("CommentCount")
    return {one["objectId"]: one["count"] for one in stored}


async def test_a_new_comment_is_one_more_for_its_post(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("jsUd72Sd2l"))
    assert await counts(served) == {"jsUd72Sd2l": 1}
    (line,) = served.logged("comment count of a post")
    told = vars(line)
    assert (told["post"], told["change"], told["count"]) == ("jsUd72Sd2l", 1, 1)
    assert served.fired == [SAVED]


async def test_a_deleted_comment_is_one_less_for_its_post(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("post", 1), comment("post", 2))
    await tell(served, "afterDelete", comment("post", 1))
    assert await counts(served) == {"post": 1}
    assert served.fired == [SAVED, SAVED, GONE]


async def test_what_is_told_twice_counts_once(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("post"), comment("post"))
    assert await counts(served) == {"post": 1}
    await tell(served, "afterDelete", comment("post"))
    await tell(served, "afterDelete", comment("post"))
    assert await counts(served) == {"post": 0}


async def test_an_edited_comment_changes_no_count(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("post"), comment("post", minute=1))
    assert await counts(served) == {"post": 1}


async def test_a_comment_that_moves_to_another_post_changes_both_counts(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("old"), comment("new", minute=1))
    assert await counts(served) == {"old": 0, "new": 1}


async def test_a_comment_that_leaves_its_post_is_one_less(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("post"), comment(minute=1))
    assert await counts(served) == {"post": 0}


async def test_what_is_told_late_changes_nothing(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("new", minute=1), comment("old"))
    assert await counts(served) == {"new": 1}
    await tell(served, "afterDelete", comment("new", minute=1))
    await saved(served, comment("new", minute=1))
    assert await counts(served) == {"new": 0}


async def test_the_end_of_a_comment_that_was_never_counted_takes_none_away(serve: Serve) -> None:
    served = await serve(enable="comments")
    await tell(served, "afterDelete", comment("post"))
    assert await counts(served) == {}


async def test_many_comments_at_the_same_time_are_all_counted(serve: Serve) -> None:
    served = await serve(enable="comments")
    events = [comment("post", number) for number in range(25)]
    told = [{"triggerName": "afterSave", "object": one} for one in events * 2]
    await asyncio.gather(*(served.webhook("", one) for one in told))
    assert await served.until_fired(50) == [SAVED] * 50
    assert await counts(served) == {"post": 25}
    assert served.logged("hook failed") == []


@pytest.mark.parametrize("trigger", ["afterSave", "afterDelete"])
@pytest.mark.parametrize("pointer", [{}, {"post": "p"}, {"post": None}, {"post": {"objectId": 1}}])
async def test_a_comment_without_a_post_is_counted_nowhere(
    serve: Serve, trigger: str, pointer: dict[str, Any]
) -> None:
    served = await serve(enable="comments")
    await tell(served, trigger, {**comment(), **pointer})
    assert await counts(served) == {}
    assert served.logged("hook failed") == []


async def test_the_count_of_a_post_is_told(serve: Serve) -> None:
    served = await serve(enable="comments")
    await saved(served, comment("post", 1), comment("post", 2))
    for post, number in (("post", 2), ("unheardOf", 0)):
        answer = await served.webhook("/functions/commentCount", {"params": {"post": post}})
        assert answer == {"success": number}


@pytest.mark.parametrize("params", [{}, {"post": ""}, {"post": 1}, {"post": None}])
async def test_the_count_of_no_post_is_refused(serve: Serve, params: dict[str, Any]) -> None:
    served = await serve(enable="comments")
    answer = await served.webhook("/functions/commentCount", {"params": params})
    assert answer == {"error": "commentCount needs post, the objectId of a post"}
    assert served.fired == ["cloud_function commentCount (comments)"]


def publishing(receiver: Receiver) -> str:
    """A conf by which the count of a post is put into the post itself."""
    return f"""
        [dialect:parse]
        webhook_key = test-key
        [parse_server]
        url = {receiver.at("/parse")}
        application_id = app
        master_key = master-4711
        [plugin:comments]
        post_field = comments
        [deliveries]
        retry = 1s
        """


CHANGED = Says(200, body=b'{"updatedAt":"2024-05-17T12:00:00.000Z"}')
GONE_POST = Says(404, body=b'{"code":101,"error":"Object not found."}')


def published(receiver: Receiver) -> list[tuple[str, int]]:
    """The counts that were sent, each with its post."""
    return [(got.path.rpartition("/")[2], got.json()["comments"]) for got in receiver.got]


async def test_the_count_is_put_into_the_post_as_the_master(
    serve: Serve, receiver: Receiver
) -> None:
    receiver.will_say("/parse/classes/Post/one", CHANGED, CHANGED)
    receiver.will_say("/parse/classes/Post/two", CHANGED)
    served = await serve(publishing(receiver), enable="comments")
    await saved(served, comment("one"))
    moved = comment("two", minute=1)
    body = {"triggerName": "afterSave", "object": moved, "original": comment("one")}
    assert await served.webhook("", body) == {}
    await receiver.until_got(3)
    await served.until_idle()
    assert published(receiver)[0] == ("one", 1)
    assert sorted(published(receiver)[1:]) == [("one", 0), ("two", 1)]
    keys = {got.headers["x-parse-master-key"] for got in receiver.got}
    assert keys == {"master-4711"}


async def test_a_post_that_is_gone_needs_no_count(serve: Serve, receiver: Receiver) -> None:
    receiver.will_say("/parse/classes/Post/one", GONE_POST)
    served = await serve(publishing(receiver), enable="comments")
    await saved(served, comment("one"))
    await served.until_idle()
    assert len(served.logged("the post of a comment is gone")) == 1
    assert served.logged("hook failed") == []


async def test_while_the_parse_server_is_away_the_count_waits(
    serve: Serve, receiver: Receiver
) -> None:
    receiver.will_say("/parse/classes/Post/one", Says(502), CHANGED)
    served = await serve(publishing(receiver), enable="comments")
    await saved(served, comment("one"))
    await receiver.until_got(2)
    await served.until_fired(2)
    assert published(receiver) == [("one", 1), ("one", 1)]
    assert await counts(served) == {"one": 1}
