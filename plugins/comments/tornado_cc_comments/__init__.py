"""Follows how many comments each post has, once a comment is stored or gone.

Until tornado_cc has a store there is nowhere to keep a count: each change is a line in the log.
"""

from collections.abc import Mapping
from typing import Any

from tornado_cc import Plugin, TriggerCall

plugin = Plugin("comments")


@plugin.after_save("Comment")
async def count_saved(call: TriggerCall) -> None:
    """One more for the post of a new comment; a comment that moves takes its one along."""
    old = _post_of(call.original)
    new = _post_of(call.object)
    if call.original is not None and old == new:
        return
    _log_change(call, old, -1)
    _log_change(call, new, +1)
    if new is None:
        call.log.warning("a comment without a post is counted nowhere")


@plugin.after_delete("Comment")
async def count_deleted(call: TriggerCall) -> None:
    """One less for the post of a comment that is gone."""
    _log_change(call, _post_of(call.object), -1)


def _post_of(comment: Mapping[str, Any] | None) -> str | None:
    """The objectId of the post a comment points to, None when it points to none."""
    pointer = (comment or {}).get("post")
    post = pointer.get("objectId") if isinstance(pointer, Mapping) else None
    return post if isinstance(post, str) and post else None


def _log_change(call: TriggerCall, post: str | None, change: int) -> None:
    if post is not None:
        call.log.info("comment count of a post", extra={"post": post, "change": change})
