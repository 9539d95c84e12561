"""The comments that clients of a real Parse Server make are counted in tornado_cc's store."""

from __future__ import annotations

from typing import Any

from .parse import Person
from .product import TornadoCC
from .rest import Client


def comment(post: str) -> dict[str, Any]:
    """A comment on a post."""
    return {"text": "x", "post": {"__type": "Pointer", "className": "Post", "objectId": post}}


def test_comments_are_counted_as_they_come_move_and_go(anyone: Client, product: TornadoCC) -> None:
    """Each is counted for the post it points to, however often it is edited."""

    def becomes(post: str, count: int) -> None:
        def is_so() -> bool:
            told = anyone.run("commentCount", {"post": post}).ok()
            return bool(told == {"result": count})

        product.child.wait_until(is_so, timeout=10)

    first = anyone.create("Comment", comment("countedOne")).ok()["objectId"]
    second = anyone.create("Comment", comment("countedOne")).ok()["objectId"]
    becomes("countedOne", 2)
    anyone.update("Comment", first, {"text": "y"}).ok()
    anyone.update("Comment", second, comment("countedTwo")).ok()
    becomes("countedTwo", 1)
    becomes("countedOne", 1)
    anyone.delete("Comment", first).ok()
    becomes("countedOne", 0)


def test_a_post_tells_how_many_comments_it_has(
    anyone: Client, alice: Person, bob: Person, product: TornadoCC
) -> None:
    """Written into it by the plugin, in whosever post and after whosever comment."""
    first, second = (
        alice.client.create("Post", {"title": title, "ACL": {"*": {"read": True}}}).ok()["objectId"]
        for title in ("one", "two")
    )

    def becomes(post: str, count: int) -> None:
        def is_so() -> bool:
            return bool(anyone.get("Post", post).ok().get("comments") == count)

        product.child.wait_until(is_so, timeout=10)

    commented = bob.client.create("Comment", comment(first)).ok()["objectId"]
    becomes(first, 1)
    bob.client.update("Comment", commented, comment(second)).ok()
    becomes(first, 0)
    becomes(second, 1)
    bob.client.delete("Comment", commented).ok()
    becomes(second, 0)
