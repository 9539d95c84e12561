"""Endpoints as plugins declare them."""

from collections.abc import Callable
from typing import Any

import pytest

from tornado_cc import Plugin, inline
from tornado_cc.hooks.endpoints import endpoint, endpoint_path
from tornado_cc.hooks.kinds import is_async, is_inline


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("foo", "/foo"),
        ("/foo", "/foo"),
        ("foo/", "/foo/"),
        (":foo", "/foo"),
        ("cat:feed", "/cat/feed"),
        ("cat:feed:", "/cat/feed/"),
        ("a.b/..c/...", "/a.b/..c/..."),
        ("files", "/files"),
        ("files/x", "/files/x"),
        ("pubsub/", "/pubsub/"),
    ],
)
def test_a_name_is_a_path_with_slashes_for_colons(name: str, path: str) -> None:
    assert endpoint_path(name) == path


@pytest.mark.parametrize("name", ["", "/", ":", "files/", ":files:", "pubsub", "_/pubsub"])
def test_a_path_of_the_original_server_is_taken(name: str) -> None:
    with pytest.raises(ValueError, match="is taken"):
        endpoint_path(name)


@pytest.mark.parametrize("name", ["//", "a//b", "a//", ".", "./a", "a/..", "a:.:b", "::a"])
def test_a_path_that_is_not_clean_is_reached_by_nobody(name: str) -> None:
    with pytest.raises(ValueError, match="no request reaches"):
        endpoint_path(name)


def plain(request: Any) -> str:
    return "plain"


async def awaited(request: Any) -> str:
    return "awaited"


@pytest.mark.parametrize("function", [plain, awaited])
def test_a_served_function_is_of_its_own_kind_and_name(function: Callable[..., Any]) -> None:
    served = endpoint(function, {})
    assert is_async(served) is is_async(function)
    assert served.__qualname__ == function.__qualname__


def test_a_promise_not_to_block_is_kept() -> None:
    assert is_inline(endpoint(inline(plain), {}))


def test_a_handler_is_returned_unchanged_so_that_it_may_be_declared_again() -> None:
    plugin = Plugin("mine")
    assert plugin.handler("a")(plugin.handler("b", method="GET")(plain)) is plain
    claims = [one.claim for one in plugin.declarations]
    assert claims == [("/b", "GET"), ("/a", "GET"), ("/a", "POST"), ("/a", "PUT")]


def test_a_resource_is_declared_with_and_without_its_slash() -> None:
    plugin = Plugin("mine")

    @plugin.rest("cat:notes", user_required=True)
    class Notes:
        pass

    assert {one.claim[0] for one in plugin.declarations} == {"/cat/notes", "/cat/notes/"}
    assert {one.claim[1] for one in plugin.declarations} == {"GET", "POST", "PUT", "DELETE"}
    assert all(one.options["user_required"] for one in plugin.declarations)
