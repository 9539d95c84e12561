"""What hooks of a real Parse Server get from a third party, and what is stored of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from .parse import Person, sign_up
from .product import TornadoCC
from .rest import Client
from .test_parse_server import (
    OUTSTANDING,
    assert_internal_error,
    assert_refused,
    fields_of,
)
from .third_party import ThirdParty

PACKED = {"rate": 1.25, "currency": "€"}

functions = pytest.mark.parametrize("function", ["callOut", "callOutPlainly"])


def ask(anyone: Client, function: str, path: str, **options: Any) -> Any:
    """The result of a function that asks the third party."""
    return anyone.run(function, {"path": path, **options}).ok()["result"]


@functions
def test_a_compressed_answer_is_unpacked(anyone: Client, function: str) -> None:
    """The client of the Parse Server gets what was packed."""
    answer = ask(anyone, function, "/packed")
    assert (answer["status"], answer["data"]) == (200, PACKED)


@functions
def test_a_redirect_is_followed_when_asked_for(anyone: Client, function: str) -> None:
    """By default it is the answer."""
    answer = ask(anyone, function, "/moved")
    assert (answer["status"], answer["location"]) == (302, "/packed")
    assert ask(anyone, function, "/moved", followRedirects=True)["data"] == PACKED


@functions
def test_cookies_are_shown_and_none_is_kept(anyone: Client, function: str) -> None:
    """One caller's session is not the next one's."""
    for _ in range(2):
        answer = ask(anyone, function, "/cookies")
        assert answer["cookies"] == ["a=1; HttpOnly", "b=2"]
        assert answer["data"] == {"cookie": None}


@functions
def test_options_arrive_as_a_parse_client_wrote_them(anyone: Client, function: str) -> None:
    """Parameters, headers and a JSON body."""
    answer = ask(
        anyone,
        function,
        "/echo",
        method="post",
        params={"q": "Sean Plott"},
        headers={"Content-Type": "application/json;charset=utf-8"},
        body={"title": "Vote for Pedro"},
    )
    assert answer["data"] == {
        "type": "application/json;charset=utf-8",
        "query": "q=Sean%20Plott",
        "body": '{"title":"Vote for Pedro"}',
    }


@functions
def test_an_error_carries_the_answer(anyone: Client, function: str) -> None:
    """A status of 400 or more is raised with everything that came."""
    answer = ask(anyone, function, "/refusing")
    assert (answer["error"], answer["status"]) == ("HttpError", 402)
    assert answer["data"] == {"why": "no credit"}


@functions
@pytest.mark.parametrize(
    ("path", "error"), [("/slow", "TimeoutExpired"), ("/reset", "ResponseError")]
)
def test_a_third_party_that_fails_is_an_error_in_time(
    anyone: Client, product: TornadoCC, function: str, path: str, error: str
) -> None:
    """`[outbound] timeout` is one second here; the query is not logged."""
    start = time.monotonic()
    assert ask(anyone, function, f"{path}?key=CANARY") == {"error": error}
    assert time.monotonic() - start < 5
    assert "CANARY" not in product.child.output()


def test_what_a_third_party_says_is_stored(anyone: Client, master: Client) -> None:
    """A hook before the save may look something up."""
    object_id = anyone.create("Priced", {"amount": 4}).ok()["objectId"]
    assert fields_of(master.get("Priced", object_id).ok()) == {"amount": 4, "price": 5, **PACKED}


def test_a_save_whose_question_is_not_answered_is_refused(anyone: Client, master: Client) -> None:
    """The client learns an id, and nothing is stored."""
    assert_internal_error(anyone.create("PricedSlowly", {"a": 1}))
    assert master.find("PricedSlowly").ok()["results"] == []


def test_the_billing_service_decides_who_may_post(
    anyone: Client, master: Client, bob: Person, third_party: ThirdParty
) -> None:
    """Whoever is not in the settings is asked about."""
    carol = sign_up(anyone)
    assert_refused(carol.client.create("Post", {"title": "unpaid"}), OUTSTANDING)
    third_party.paid_up.add(carol.object_id)
    object_id = carol.client.create("Post", {"title": "paid"}).ok()["objectId"]
    assert fields_of(master.get("Post", object_id).ok()) == {"title": "paid"}
    assert_refused(bob.client.delete("Post", object_id), OUTSTANDING)
    assert third_party.asked[-3:] == [carol.object_id, carol.object_id, bob.object_id]
