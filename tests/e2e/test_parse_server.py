"""What a client of a real Parse Server gets, and what is stored, with tornado_cc's hooks.

What was stored is read back with the master key through classes or fields that
no hook touches on reading.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .parse import ParseServer, Person, sign_up
from .product import TornadoCC, tornado_cc
from .rest import Answer, Client

SCRIPT_FAILED = 141
OBJECT_NOT_FOUND = 101

OUTSTANDING = (
    "You have outstanding charges on your account."
    " Please update your credit card information before proceeding."
)

TYPED: dict[str, Any] = {
    "text": 'Zoë said "naïve" \N{SNOWMAN} \N{GRINNING FACE}\n\ttwice',
    "empty": "",
    "whole": 42,
    "fraction": -0.1,
    "big": 9007199254740991,
    "yes": True,
    "no": False,
    "when": {"__type": "Date", "iso": "2015-03-24T20:19:00.542Z"},
    "post": {"__type": "Pointer", "className": "Post", "objectId": "jsUd72Sd2l"},
    "place": {"__type": "GeoPoint", "latitude": 48.137, "longitude": -11.575},
    "bytes": {"__type": "Bytes", "base64": "AAEC/f7/"},
    "file": {"__type": "File", "name": "a.txt", "url": "http://localhost/a.txt"},
    "nested": {"a": {"b": [1, {"c": None}], "d": ""}, "list": []},
    "list": ["a", 1, None, {"k": [True]}, ["x"]],
}

ADDED_ON_READING = ("createdAt", "updatedAt", "objectId", "className")


def fields_of(found: dict[str, Any]) -> dict[str, Any]:
    """An object as it was stored, without what the Parse Server sets when it is read.

    That includes the url of a file, but a client has to send one: a Parse Server
    with a beforeSave hook is crashed by a file without.
    """
    fields = {name: value for name, value in found.items() if name not in ADDED_ON_READING}
    if "file" in fields:
        fields["file"] = {k: v for k, v in fields["file"].items() if k != "url"}
    return fields


def assert_refused(answer: Answer, message: str) -> None:
    """The client got the plugin's own words and Parse's code for a failed script."""
    assert (answer.code, answer.error) == (SCRIPT_FAILED, message)


def assert_internal_error(answer: Answer) -> str:
    """The client learnt nothing but an id, which is returned."""
    assert answer.code == SCRIPT_FAILED
    found = re.fullmatch(r"internal error \(id ([^\s)]+)\)", answer.error or "")
    assert found, answer.body
    return found[1]


# --- saves -------------------------------------------------------------------


def test_an_unchanged_save_stores_every_type_exactly(anyone: Client, master: Client) -> None:
    """A plugin that only looks is not noticed: all fields arrive, the client gets its id."""
    created = anyone.create("Typed", TYPED).ok()
    assert set(created) == {"objectId", "createdAt"}
    stored = master.get("Typed", created["objectId"]).ok()
    assert fields_of(stored) == fields_of(TYPED)


def test_an_unchanged_update_stores_every_type_exactly(anyone: Client, master: Client) -> None:
    """An update that touches one field rewrites none of the others."""
    created = anyone.create("Typed", TYPED).ok()
    updated = anyone.update("Typed", created["objectId"], {"whole": 43}).ok()
    assert updated["updatedAt"] > created["createdAt"]
    stored = master.get("Typed", created["objectId"]).ok()
    assert fields_of(stored) == {**fields_of(TYPED), "whole": 43}


def test_a_long_comment_is_cut_and_everything_else_kept(
    alice: Person, bob: Person, master: Client
) -> None:
    """The other fields and the ACL survive a change: a private review stays private."""
    comment, acl = "é" * 141, alice.private_acl()
    review = {"comment": comment, "stars": 4, "tags": ["x"], "ACL": acl}
    object_id = alice.client.create("Review", review).ok()["objectId"]
    stored = master.get("Review", object_id).ok()
    assert fields_of(stored) == {**review, "comment": "é" * 137 + "..."}
    assert bob.client.get("Review", object_id).code == OBJECT_NOT_FOUND
    assert alice.client.get("Review", object_id).ok()["stars"] == 4


def test_a_comment_of_140_characters_is_kept(anyone: Client, master: Client) -> None:
    """Only what is longer is cut."""
    object_id = anyone.create("Review", {"comment": "x" * 140}).ok()["objectId"]
    assert master.get("Review", object_id).ok()["comment"] == "x" * 140


def test_a_refused_save_stores_nothing(bob: Person, master: Client) -> None:
    """The client gets code 141 and the plugin's message."""
    title = "refused"
    assert_refused(bob.client.create("Post", {"title": title}), OUTSTANDING)
    assert master.find("Post", title=title).ok()["results"] == []


def test_a_save_by_nobody_in_particular_is_refused(anyone: Client, master: Client) -> None:
    """Who is not logged in has not paid either."""
    title = "by nobody"
    assert anyone.create("Post", {"title": title}).code == SCRIPT_FAILED
    assert master.find("Post", title=title).ok()["results"] == []


def test_a_refused_update_changes_nothing(alice: Person, bob: Person, master: Client) -> None:
    """What was stored before stays as it was."""
    object_id = alice.client.create("Post", {"title": "hers"}).ok()["objectId"]
    assert_refused(bob.client.update("Post", object_id, {"title": "his"}), OUTSTANDING)
    assert master.get("Post", object_id).ok()["title"] == "hers"


@pytest.mark.parametrize("who", ["alice", "master"])
def test_whoever_paid_and_the_master_may_save(
    who: str, request: pytest.FixtureRequest, master: Client
) -> None:
    """The plugin learns from the Parse Server who is calling."""
    somebody = request.getfixturevalue(who)
    client = somebody.client if isinstance(somebody, Person) else somebody
    object_id = client.create("Post", {"title": who}).ok()["objectId"]
    assert fields_of(master.get("Post", object_id).ok()) == {"title": who}


@pytest.mark.parametrize(
    ("class_name", "changes"),
    [("Tally", {}), ("TallyChanged", {"seen": "in place"})],
)
def test_operations_of_an_update_are_carried_out(
    class_name: str, changes: dict[str, Any], anyone: Client, master: Client
) -> None:
    """They reach the store as operations, whether or not a plugin changes another field."""
    first = {"n": 1, "tags": ["a"], "log": ["a"], "left": ["a", "b"], "gone": 1, "kept": {"k": 1}}
    object_id = anyone.create(class_name, first).ok()["objectId"]
    operations = {
        "n": {"__op": "Increment", "amount": 3},
        "tags": {"__op": "AddUnique", "objects": ["a", "b"]},
        "log": {"__op": "Add", "objects": ["a", "b"]},
        "left": {"__op": "Remove", "objects": ["a"]},
        "gone": {"__op": "Delete"},
    }
    anyone.update(class_name, object_id, operations).ok()
    stored = master.get(class_name, object_id).ok()
    after = {"n": 4, "tags": ["a", "b"], "log": ["a", "a", "b"], "left": ["b"], "kept": {"k": 1}}
    assert fields_of(stored) == {**after, **changes}


@pytest.mark.parametrize("class_name", ["Race", "RaceChanged"])
def test_two_concurrent_updates_of_one_object_are_both_kept(
    class_name: str, anyone: Client, master: Client
) -> None:
    """Neither update writes back fields that only the other one changed."""
    object_id = anyone.create(class_name, {"a": 0, "b": 0, "n": 0}).ok()["objectId"]
    one_more = {"__op": "Increment", "amount": 1}
    updates = [{"a": 1, "n": one_more}, {"b": 2, "n": one_more}]
    with ThreadPoolExecutor(len(updates)) as pool:
        answers = pool.map(lambda change: anyone.update(class_name, object_id, change), updates)
        for answer in answers:
            answer.ok()
    stored = fields_of(master.get(class_name, object_id).ok())
    stored.pop("seen", None)
    assert stored == {"a": 1, "b": 2, "n": 2}


def test_an_acl_is_kept_when_a_plugin_changes_the_new_object(
    alice: Person, bob: Person, master: Client
) -> None:
    """A change does not make a private object public."""
    entry = {"text": "dear diary", "ACL": alice.private_acl()}
    object_id = alice.client.create("Diary", entry).ok()["objectId"]
    stored = master.get("Diary", object_id).ok()
    assert fields_of(stored) == {**entry, "seen": "in place"}
    assert bob.client.get("Diary", object_id).code == OBJECT_NOT_FOUND


def test_an_acl_is_kept_when_a_plugin_changes_an_update(
    alice: Person, bob: Person, master: Client
) -> None:
    """An update says nothing of the ACL, and that leaves it alone."""
    entry = {"text": "dear diary", "ACL": alice.private_acl()}
    object_id = alice.client.create("Diary", entry).ok()["objectId"]
    alice.client.update("Diary", object_id, {"text": "more"}).ok()
    stored = master.get("Diary", object_id).ok()
    assert fields_of(stored) == {**entry, "text": "more", "seen": "in place"}
    assert bob.client.get("Diary", object_id).code == OBJECT_NOT_FOUND


def test_a_returned_mapping_is_laid_over_the_object(anyone: Client, master: Client) -> None:
    """A hook that names only its own field loses none of the client's."""
    object_id = anyone.create("Partial", {"a": 1, "b": [2]}).ok()["objectId"]
    anyone.update("Partial", object_id, {"a": 3}).ok()
    stored = master.get("Partial", object_id).ok()
    assert fields_of(stored) == {"a": 3, "b": [2], "seen": "by mapping"}


def test_a_field_the_plugin_removes_is_not_stored(anyone: Client, master: Client) -> None:
    """On create it never gets there, on update its value is deleted."""
    first = {"kept": 1, "unwanted": 1, "ACL": {"*": {"read": True, "write": True}}}
    object_id = anyone.create("Removal", {**first, "cleaning": False}).ok()["objectId"]
    anyone.update("Removal", object_id, {"kept": 2, "cleaning": True}).ok()
    cleaned = {"kept": 2, "ACL": first["ACL"], "cleaning": True}
    assert fields_of(master.get("Removal", object_id).ok()) == cleaned
    another = anyone.create("Removal", {**first, "cleaning": True}).ok()["objectId"]
    assert fields_of(master.get("Removal", another).ok()) == {**cleaned, "kept": 1}


def test_a_field_the_store_never_saw_can_be_removed(anyone: Client, master: Client) -> None:
    """On PostgreSQL a Parse Server fails to delete a field no object ever had.

    So a new field that the plugin takes away has to be left out of the answer;
    a Delete operation for it makes the save fail with 500.
    """
    object_id = anyone.create("RemovalNew", {"kept": 1, "cleaning": True}).ok()["objectId"]
    anyone.update("RemovalNew", object_id, {"kept": 2, "unwanted": 2}).ok()
    stored = fields_of(master.get("RemovalNew", object_id).ok())
    assert stored == {"kept": 2, "cleaning": True}


def test_a_plugin_may_answer_with_an_operation(anyone: Client, master: Client) -> None:
    """An Increment of the plugin's own counts every save."""
    object_id = anyone.create("Counted", {"a": 1}).ok()["objectId"]
    anyone.update("Counted", object_id, {"a": 2}).ok()
    assert fields_of(master.get("Counted", object_id).ok()) == {"a": 2, "saves": 2}


# --- users -------------------------------------------------------------------


def test_a_user_changed_on_signup_can_log_in(anyone: Client, master: Client) -> None:
    """User name, password and e-mail address survive a plugin's change of the new user."""
    email = "someone@example.org"
    person = sign_up(anyone, email=email)
    stored = master.call("GET", f"users/{person.object_id}").ok()
    assert (stored["username"], stored["email"]) == (person.name, email)
    assert stored["seen"] == "in place"
    credentials = {"username": person.name, "password": person.password}
    assert anyone.call("POST", "login", credentials).ok()["objectId"] == person.object_id


def test_a_user_changed_on_update_can_log_in_with_the_new_password(anyone: Client) -> None:
    """A new password gets through a plugin that changes another field, the old one is void."""
    person = sign_up(anyone)
    change = {"password": "another password"}
    person.client.call("PUT", f"users/{person.object_id}", change).ok()
    credentials = {"username": person.name, **change}
    assert anyone.call("POST", "login", credentials).ok()["objectId"] == person.object_id
    old = {"username": person.name, "password": person.password}
    assert anyone.call("POST", "login", old).code == OBJECT_NOT_FOUND


def test_passwords_and_session_tokens_are_not_logged(anyone: Client, product: TornadoCC) -> None:
    """Not even at level debug, although the Parse Server sends both."""
    person = sign_up(anyone)
    credentials = {"username": person.name, "password": person.password}
    session = anyone.call("POST", "login", credentials).ok()["sessionToken"]
    anyone.having(X_Parse_Session_Token=session).run("echo").ok()
    log = product.child.output()
    assert "_User" in log or "beforeSave" in log
    for secret in (person.password, session, person.client.headers["X-Parse-Session-Token"]):
        assert secret not in log


# --- deletes -----------------------------------------------------------------


def test_a_refused_delete_leaves_the_object(alice: Person, bob: Person, master: Client) -> None:
    """The client gets the message and the object is still there."""
    object_id = alice.client.create("Post", {"title": "here to stay"}).ok()["objectId"]
    assert_refused(bob.client.delete("Post", object_id), OUTSTANDING)
    assert master.get("Post", object_id).ok()["title"] == "here to stay"


def test_an_allowed_delete_removes_the_object(alice: Person, master: Client) -> None:
    """The object is gone."""
    object_id = alice.client.create("Post", {"title": "short-lived"}).ok()["objectId"]
    alice.client.delete("Post", object_id).ok()
    assert master.get("Post", object_id).code == OBJECT_NOT_FOUND


def test_after_hooks_do_not_show_in_what_the_client_gets(anyone: Client, master: Client) -> None:
    """Saving and deleting a comment answers as if nobody listened."""
    created = anyone.create("Comment", {"text": "first"}).ok()
    assert set(created) == {"objectId", "createdAt"}
    assert anyone.delete("Comment", created["objectId"]).ok() == {}
    assert master.get("Comment", created["objectId"]).code == OBJECT_NOT_FOUND


# --- functions ---------------------------------------------------------------


def test_a_function_answers_its_value(anyone: Client) -> None:
    """The value comes under `result`."""
    assert anyone.run("helloWorld").ok() == {"result": "Hello World!"}


def test_a_function_that_needs_the_master_key_answers_the_master(
    master: Client, alice: Person
) -> None:
    """The plugin learns that the master key was used."""
    whom = {"userObjectId": alice.object_id}
    assert master.run("chargeCustomer", whom).ok() == {"result": "User billed!"}


def test_a_function_that_needs_the_master_key_denies_itself_to_others(
    anyone: Client, alice: Person
) -> None:
    """To everybody else it looks like a function that does not exist."""
    whom = {"userObjectId": alice.object_id}
    assert_refused(anyone.run("chargeCustomer", whom), "Unknown function")
    assert_refused(alice.client.run("chargeCustomer", whom), "Unknown function")


def test_parameters_and_values_keep_their_types(anyone: Client) -> None:
    """What a function takes and gives goes through untouched where the Parse Server lets it."""
    typed = {name: TYPED[name] for name in ("text", "whole", "fraction", "no", "place", "nested")}
    assert anyone.run("echo", typed).ok() == {"result": typed}


def test_a_function_no_plugin_knows_is_an_error(anyone: Client) -> None:
    """A success without a result would look like an answer."""
    assert_refused(anyone.run("nobodyKnowsMe"), "Unknown function")


# --- hooks without a plugin --------------------------------------------------


def test_a_save_is_refused_when_its_plugin_is_gone(anyone: Client, master: Client) -> None:
    """What a plugin used to check must not pass unchecked."""
    assert_refused(anyone.create("OrphanSave", {"a": 1}), "Unknown trigger")
    assert master.find("OrphanSave").ok()["results"] == []


def test_a_delete_is_refused_when_its_plugin_is_gone(anyone: Client, master: Client) -> None:
    """The object stays."""
    object_id = anyone.create("OrphanDelete", {"a": 1}).ok()["objectId"]
    assert_refused(anyone.delete("OrphanDelete", object_id), "Unknown trigger")
    assert master.get("OrphanDelete", object_id).ok()["a"] == 1


def test_a_find_is_refused_when_its_plugin_is_gone(anyone: Client) -> None:
    """A plugin may have kept something from being found."""
    assert_refused(anyone.find("OrphanFind"), "Unknown trigger")


def test_after_hooks_without_a_plugin_do_no_harm(anyone: Client) -> None:
    """There is nothing left to refuse, so the client is not bothered."""
    created = anyone.create("OrphanAfter", {"a": 1}).ok()
    assert set(created) == {"objectId", "createdAt"}
    assert len(anyone.find("OrphanAfter", objectId=created["objectId"]).ok()["results"]) == 1
    assert anyone.delete("OrphanAfter", created["objectId"]).ok() == {}


# --- queries -----------------------------------------------------------------


@pytest.mark.parametrize("class_name", ["Shelf", "Catalogue"])
def test_a_find_without_a_result_stays_empty(class_name: str, anyone: Client) -> None:
    """Nothing found is nothing found, and the Parse Server survives it."""
    assert anyone.find(class_name, title="no such title").ok() == {"results": []}


def test_found_objects_are_left_alone(anyone: Client) -> None:
    """The plugin that only looks is not noticed, by a find or by a get."""
    object_id = anyone.create("Shelf", TYPED).ok()["objectId"]
    (found,) = anyone.find("Shelf", objectId=object_id).ok()["results"]
    assert fields_of(found) == fields_of(TYPED)
    assert fields_of(anyone.get("Shelf", object_id).ok()) == fields_of(TYPED)


def test_a_plugin_can_hide_what_was_found(anyone: Client) -> None:
    """An empty list from the plugin is what the client gets."""
    object_id = anyone.create("Hidden", {"title": "a book"}).ok()["objectId"]
    assert anyone.find("Hidden").ok() == {"results": []}
    assert anyone.get("Hidden", object_id).code == OBJECT_NOT_FOUND


def test_a_changed_list_of_found_objects_does_not_crash_the_server(anyone: Client) -> None:
    """The Parse Server takes the list but keeps only its length.

    It calls a method of each object, and an object that came as JSON has none,
    so it puts an empty one in its place. Should it ever learn to keep them, this
    test tells.
    """
    object_id = anyone.create("Catalogue", {"title": "a book"}).ok()["objectId"]
    assert anyone.find("Catalogue", objectId=object_id).ok() == {"results": [{}]}


def test_a_refused_find_finds_nothing(anyone: Client) -> None:
    """The client gets the plugin's message instead of objects."""
    assert_refused(anyone.find("Vault"), "the vault is closed")


# --- time and failure --------------------------------------------------------


def test_a_slow_after_save_does_not_keep_the_client_waiting(
    anyone: Client, product: TornadoCC
) -> None:
    """The hook takes 3 seconds, the client's save does not, and the hook gets to its end."""
    start = time.monotonic()
    object_id = anyone.create("Slow", {"a": 1}).ok()["objectId"]
    assert time.monotonic() - start < 2
    done = product.plugin_folder / f"{object_id}.done"
    assert not done.exists()
    product.child.wait_until(done.exists, timeout=10)


def test_a_plugin_that_fails_refuses_the_save(
    anyone: Client, master: Client, product: TornadoCC
) -> None:
    """Nothing is stored; the client gets an id by which the log tells the reason."""
    answer = anyone.create("Broken", {"a": 1})
    error_id = assert_internal_error(answer)
    assert master.find("Broken").ok()["results"] == []
    told = [line for line in product.child.output().splitlines() if error_id in line]
    assert any("the inner detail" in line for line in told)


def test_a_plugin_that_fails_after_the_save_is_not_noticed(anyone: Client) -> None:
    """The object is stored, so the client must not hear of a failure."""
    created = anyone.create("BrokenAfter", {"a": 1}).ok()
    assert anyone.get("BrokenAfter", created["objectId"]).ok()["a"] == 1


def test_a_function_that_fails_is_an_error(anyone: Client) -> None:
    """The reason stays in the log."""
    assert_internal_error(anyone.run("broken"))


# --- the webhook key ---------------------------------------------------------


@pytest.mark.usefixtures("stranger")
def test_a_wrong_webhook_key_runs_no_hook(anyone: Client, master: Client) -> None:
    """The save is refused, nothing is stored and the function keeps its secret."""
    assert_refused(anyone.create("Locked", {"a": 1}), "Request Unauthorized")
    assert master.find("Locked").ok()["results"] == []
    assert_refused(anyone.run("lockedFunction"), "Request Unauthorized")


# --- the end -----------------------------------------------------------------


def test_a_terminated_server_finishes_what_it_began(server: ParseServer, tmp_path: Path) -> None:
    """The client of a slow function gets its result although SIGTERM came in between."""
    with tornado_cc(tmp_path, server.keys.webhook) as leaving, ThreadPoolExecutor(1) as pool:
        server.register_function("slowAnswer", leaving.function_url("slowAnswer"))
        answer = pool.submit(server.anyone.run, "slowAnswer")
        started = leaving.plugin_folder / "slowAnswer.started"
        leaving.child.wait_until(started.exists, timeout=10)
        assert leaving.child.stop() == 0
        assert answer.result().ok() == {"result": "after all"}
