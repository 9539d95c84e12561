"""HTTP as the rooms above the wire see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.message import Headers, Request, Response


def request() -> Request:
    return Request(
        method="POST",
        path="/CANARY-path",
        query="token=CANARY-query",
        headers=Headers([("X-Key", "CANARY-header")]),
        body=b"CANARY-body",
    )


@pytest.mark.parametrize(
    "name", ["X-Parse-Webhook-Key", "x-parse-webhook-key", "X-PARSE-WEBHOOK-KEY"]
)
def test_a_header_is_found_in_any_case(name: str) -> None:
    headers = Headers([("X-Parse-Webhook-KEY", "a")])
    assert headers[name] == "a"
    assert headers.get(name) == "a"
    assert headers.get_all(name) == ("a",)
    assert name in headers


def test_a_repeated_header_is_joined_by_commas_and_listed_in_order() -> None:
    headers = Headers([("A", "1"), ("B", "x"), ("a", "2")])
    assert headers["a"] == "1, 2"
    assert headers.get_all("A") == ("1", "2")
    assert len(headers) == 2


def test_an_absent_header_is_absent() -> None:
    headers = Headers()
    assert headers.get("A") is None
    assert headers.get_all("A") == ()
    assert "A" not in headers
    with pytest.raises(KeyError):
        headers["A"]


@given(st.lists(st.tuples(st.sampled_from(["A", "a", "B-c", "b-C"]), st.text())))
def test_no_header_is_lost(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)
    kept = [(name, value) for name in headers for value in headers.get_all(name)]
    assert sorted(kept) == sorted((name.lower(), value) for name, value in pairs)


def test_the_repr_of_headers_shows_names_only() -> None:
    assert repr(Headers([("X-Key", "CANARY")])) == "<Headers x-key>"


def test_the_repr_of_a_request_shows_nothing_the_caller_could_hide_a_secret_in() -> None:
    assert "CANARY" not in repr(request())
    assert "POST" in repr(request())


def test_the_repr_of_a_response_does_not_show_its_body() -> None:
    assert "CANARY" not in repr(Response(200, b"CANARY"))
