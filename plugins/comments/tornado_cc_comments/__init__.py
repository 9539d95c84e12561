"""Counts the comments of each post in the store, once a comment is stored or gone.

An after-hook may run more than once for one comment, and late. So a `CountedComment` remembers for
which post each comment was counted last and as of when, and only who changes it goes on to the
`CommentCount` of the post. Each of these steps is atomic, and there is a moment between them: a
crash there leaves a count one too high or too low, and a repetition does not mend it.

With `[plugin:comments] post_field` the count is put into the post itself too, which a Parse Server
keeps, so that its clients read it there.
"""

from collections.abc import Mapping
from typing import Any

from tornado_cc import (
    DuplicateValue,
    Field,
    FunctionCall,
    ObjectNotFound,
    ParseObjectNotFound,
    Plugin,
    Refusal,
    Settings,
    TriggerCall,
)


class CommentsSettings(Settings):
    """`[plugin:comments]`."""

    post_field: str = Field(
        "",
        description="The field of a post, at the Parse Server of `[parse_server]`, that holds how"
        " many comments it has. Empty keeps the count here only.",
    )


plugin = Plugin("comments", settings=CommentsSettings)

_NO_POST = ""


@plugin.cloud_function("commentCount")
async def comment_count(call: FunctionCall) -> int:
    """How many comments the post with the id `post` has; 0 for one nobody has heard of."""
    post = call.params.get("post")
    if not isinstance(post, str) or not post:
        raise Refusal("commentCount needs post, the objectId of a post")
    return await _count(call, post)


@plugin.after_save("Comment")
async def count_saved(call: TriggerCall) -> None:
    """One more for the post of a new comment; a comment that moves takes its one along."""
    post = _post_of(call.object)
    if post == _NO_POST:
        call.log.warning("a comment without a post is counted nowhere")
    await _move(call, post, gone=False)
    # The post it had before too: when an attempt fails here, the next one moves nothing any more.
    for one in {post, _post_of(call.original or {})}:
        await _publish(call, one)


@plugin.after_delete("Comment")
async def count_deleted(call: TriggerCall) -> None:
    """One less for the post of a comment that is gone, and is never counted again."""
    await _move(call, _NO_POST, gone=True)
    await _publish(call, _post_of(call.object))


def _post_of(comment: Mapping[str, Any]) -> str:
    """The objectId of the post a comment points to, `_NO_POST` when it points to none."""
    pointer = comment.get("post")
    post = pointer.get("objectId") if isinstance(pointer, Mapping) else None
    return post if isinstance(post, str) else _NO_POST


async def _move(call: TriggerCall, post: str, *, gone: bool) -> None:
    """Count a comment for this post, instead of the one it was counted for until now."""
    at = call.object.get("updatedAt") or call.object.get("createdAt") or ""
    old = await _swap(call, {"post": post, "at": at, "gone": gone})
    if old is not None and old != post:
        await _add(call, old, -1)
        await _add(call, post, +1)


async def _swap(call: TriggerCall, new: dict[str, Any]) -> str | None:
    """The post a comment was counted for until now; None when something later is known of it."""
    counted, comment = call.store.objects("CountedComment"), call.object["objectId"]
    while True:
        try:
            await counted.create(new, object_id=comment)
        except DuplicateValue:
            known = await counted.get(comment)
        else:
            return _NO_POST
        if known["gone"] or (not new["gone"] and new["at"] < known["at"]):
            return None
        unchanged = {name: known[name] for name in new}
        try:
            await counted.update(comment, new, where=unchanged)
        except ObjectNotFound:
            continue
        return str(known["post"])


async def _add(call: TriggerCall, post: str, change: int) -> None:
    """Change the count of a post; the first to do so makes it."""
    if post == _NO_POST:
        return
    counts = call.store.objects("CommentCount")
    add = {"count": {"__op": "Increment", "amount": change}}
    try:
        stored = await counts.update(post, add)
    except ObjectNotFound:
        try:
            stored = await counts.create(add, object_id=post)
        except DuplicateValue:
            stored = await counts.update(post, add)
    facts = {"post": post, "change": change, "count": stored["count"]}
    call.log.info("comment count of a post", extra=facts)


async def _count(call: FunctionCall | TriggerCall, post: str) -> int:
    """How many comments a post has."""
    try:
        counted = await call.store.objects("CommentCount").get(post)
    except ObjectNotFound:
        return 0
    return int(counted["count"])


async def _publish(call: TriggerCall, post: str) -> None:
    """Put the count of a post into the post, as the master: commenters need not be its authors.

    Until it is the count of this moment: whoever counts at the same time may be overtaken. When the
    Parse Server cannot be asked the hook fails, and its next attempt comes here again.
    """
    field = call.settings.post_field
    if not field or post == _NO_POST:
        return
    posts = call.parse.as_master().objects("Post")
    count, published = await _count(call, post), None
    while count != published:
        try:
            await posts.update(post, {field: count})
        except ParseObjectNotFound:
            call.log.info("the post of a comment is gone", extra={"post": post})
            return
        count, published = await _count(call, post), count
