"""Hooks talk back to the real Parse Server that called them."""

from __future__ import annotations

from typing import Any

import pytest

from .parse import Person
from .product import TornadoCC
from .rest import Client
from .test_parse_server import assert_refused


def letter(to: Person, title: str) -> dict[str, Any]:
    """A letter that nobody else may read."""
    return {"title": title, "ACL": to.private_acl()}


@pytest.fixture(scope="module")
def letters(alice: Person, bob: Person, product: TornadoCC) -> dict[str, str]:
    """One to each of them, by title."""
    return {
        title: person.client.create("Letter", letter(person, title)).ok()["objectId"]
        for person, title in ((alice, "to Alice"), (bob, "to Bob"))
    }


@pytest.mark.usefixtures("letters")
def test_a_hook_asks_in_the_name_of_the_caller_and_the_master_sees_all(alice: Person) -> None:
    """The ACLs of the Parse Server decide."""
    everything = ["to Alice", "to Bob"]
    assert alice.client.run("readLetters").ok()["result"] == {
        "caller": ["to Alice"],
        "nobody": [],
        "master": everything,
    }
    assert alice.client.run("readLettersPlainly").ok()["result"] == ["to Alice"]


@pytest.mark.usefixtures("letters")
def test_the_master_key_is_used_only_where_a_hook_says_so(anyone: Client, master: Client) -> None:
    """A call with the master key is a call of nobody in particular."""
    for client in (anyone, master):
        found = client.run("readLetters").ok()["result"]
        assert (found["caller"], len(found["master"])) == ([], 2)


def test_what_somebody_may_not_change_is_refused_with_parses_code(
    letters: dict[str, str], alice: Person, bob: Person
) -> None:
    """Bob has no such object."""
    told = bob.client.run("tearLetter", {"letter": letters["to Alice"]}).ok()["result"]
    assert told == "ParseObjectNotFound 101: Object not found."
    assert alice.client.get("Letter", letters["to Alice"]).is_ok


def test_a_trigger_reads_and_writes_other_objects(
    letters: dict[str, str], alice: Person, bob: Person, master: Client, product: TornadoCC
) -> None:
    """Before the save in the name of the caller; afterwards, when that is over, as the master."""
    pointer = {"__type": "Pointer", "className": "Letter", "objectId": letters["to Alice"]}
    answered = alice.client.create("Answer", {"letter": pointer}).ok()
    assert master.get("Answer", answered["objectId"]).ok()["title"] == "Re: to Alice"

    def is_noted() -> bool:
        return bool(master.get("Letter", letters["to Alice"]).ok().get("answers") == 1)

    product.child.wait_until(is_noted, timeout=10)
    assert_refused(bob.client.create("Answer", {"letter": pointer}), "You have no such letter")


def test_objects_functions_configuration_and_users_are_reached(
    alice: Person, master: Client
) -> None:
    """Everything there is, one after another."""
    params = {"params": {"open": 1, "hidden": 2}, "masterKeyOnly": {"hidden": True}}
    master.call("PUT", "config", params).ok()
    assert alice.client.run("talkAround").ok()["result"] == {
        "n": 5,
        "text": "Grüße",
        "count": 1,
        "of many": True,
        "none": None,
        "function": {"a": [1, {"b": None}]},
        "config": {"open": 1},
        "all config": {"open": 1, "hidden": 2},
        "user": alice.name,
        "gone": 101,
    }


def test_no_log_has_the_master_key(product: TornadoCC, alice: Person) -> None:
    """Nor a session token, although both were sent with every question above."""
    token = alice.client.headers["X-Parse-Session-Token"]
    key = product.conf.read_text().partition("master_key = ")[2].splitlines()[0]
    assert key not in product.child.output()
    assert token not in product.child.output()
