"""Parameters, merged with the query the address has already."""

from collections import OrderedDict
from typing import Any

import pytest

from tests.outbound.wire import Wire
from tornado_cc.outbound import HttpClient, RequestError

ROWS: list[tuple[str, Any, str]] = [
    ("", {"q": "Sean Plott"}, "q=Sean%20Plott"),
    ("", "q=Sean Plott", "q=Sean%20Plott"),
    ("", "?q=Sean Plott", "q=Sean%20Plott"),
    ("", "q=a+b&r", "q=a%20b&r="),
    ("", "q=1&q=2", "q=1&q=2"),
    ("", {"a": [1, "two"], "b": (3,)}, "a=1&a=two&b=3"),
    ("", {"a": []}, ""),
    ("", {"a": None, "b": {"c": 1}, "d": [None, [1]]}, "a=&b=&d=&d="),
    ("", {"a": True, "b": False, "c": 1.5}, "a=true&b=false&c=1.5"),
    ("", {"é&=": "ü/?#"}, "%C3%A9%26%3D=%C3%BC%2F%3F%23"),
    ("", {b"a\xff": b"\x00\xfe"}, "a%FF=%00%FE"),
    ("", "a=%FF&%FE=1", "a=%FF&%FE=1"),
    ("", OrderedDict(z=1, a=2), "z=1&a=2"),
    ("", {5: "five"}, "5=five"),
    ("", None, ""),
    ("", {}, ""),
    ("", "", ""),
    ("?a=1", {"a": 2, "b": 3}, "a=1&b=3"),
    ("?a=1", "a=2&b=3", "a=1&b=3"),
    ("?a", {"a": 2}, "a"),
    ("?%61=1", {"a": 2}, "%61=1"),
    ("?a+b=1", {"a b": 2}, "a+b=1"),
    ("?%FF=1", {b"\xff": 2}, "%FF=1"),
    ("?%FF=1", {"\ufffd": 2}, "%FF=1&%EF%BF%BD=2"),
    ("?a=1&a=2", {"a": 3}, "a=1&a=2"),
    ("?x=%2F%20y&", {"b": 1}, "x=%2F%20y&&b=1"),
    ("?a=1#fragment", {"b": 1}, "a=1&b=1"),
]


@pytest.mark.parametrize(("own", "params", "query"), ROWS)
async def test_parameters_are_merged_into_the_query(
    client: HttpClient, wire: Wire, own: str, params: Any, query: str
) -> None:
    await client.request(f"{wire.url}{own}", params=params)
    assert wire.last.target == (f"/?{query}" if query else "/")


@pytest.mark.parametrize("params", [5, ["a=1"], [], b"a=1", False])
async def test_parameters_of_another_kind_are_refused(
    client: HttpClient, wire: Wire, params: Any
) -> None:
    with pytest.raises(RequestError, match="params is a"):
        await client.request(wire.url, params=params)
    assert wire.connections == 0


async def test_a_parameter_no_utf8_can_carry_is_refused(client: HttpClient, wire: Wire) -> None:
    with pytest.raises(RequestError, match="UTF-8"):
        await client.request(wire.url, params={"a": "\ud800"})
    assert wire.connections == 0
