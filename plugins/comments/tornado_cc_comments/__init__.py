"""Counts the comments of each post in the store, once a comment is stored or gone.

An after-hook may run more than once for one comment, and late. So a `CountedComment` remembers for
which post each comment was counted last and as of when, and only who changes it goes on to the
`CommentCount` of the post. Each of these steps is atomic, and there is a moment between them: a
crash there leaves a count one too high or too low, and a repetition does not mend it.
"""

from collections.abc import Mapping
from typing import Any

from tornado_cc import DuplicateValue, FunctionCall, ObjectNotFound, Plugin, Refusal, TriggerCall

plugin = Plugin("comments")

_NO_POST = ""


@plugin.cloud_function("commentCount")
async def comment_count(call: FunctionCall) -> int:
    """How many comments the post with the id `post` has; 0 for one nobody has heard of."""
    post = call.params.get("post")
    if not isinstance(post, str) or not post:
        raise Refusal("commentCount needs post, the objectId of a post")
    try:
        counted = await call.store.objects("CommentCount").get(post)
    except ObjectNotFound:
        return 0
    return int(counted["count"])


@plugin.after_save("Comment")
async def count_saved(call: TriggerCall) -> None:
    """One more for the post of a new comment; a comment that moves takes its one along."""
    post = _post_of(call.object)
    if post == _NO_POST:
        call.log.warning("a comment without a post is counted nowhere")
    await _move(call, post, gone=False)


@plugin.after_delete("Comment")
async def count_deleted(call: TriggerCall) -> None:
    """One less for the post of a comment that is gone, and is never counted again."""
    await _move(call, _NO_POST, gone=True)


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
