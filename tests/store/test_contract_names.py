"""Names and texts of any kind: kept and given back, or refused; and never part of a statement."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store import opened as fixtures
from tests.store.opened import Beside, Statements
from tornado_cc.store import Store
from tornado_cc.store.fields import check_class, check_fields, check_id
from tornado_cc.store.ids import new_id

beside = fixtures.beside

ODD = [
    "",
    "$",
    "a.b",
    "a$b",
    "\0",
    "a\0b",
    "__proto__",
    "constructor",
    "__op",
    "__type",
    "objectId",
    "_id",
    "\\",
    "a\\",
    '"',
    "'",
    "'; DROP TABLE objects; --",
    "%s",
    ":name",
    "?",
    "$1",
    "{}",
    "[0]",
    "\n",
    "a\nb",
    "\u2028",
    "\ufeff",
    "é",
    "e\u0301",
    "😀",
    "\ud800",
    "\udc80",
    "a" * 128,
    "a" * 129,
    "a" * 5000,
    "NULL",
    "-a",
    "a,b",
    " a",
    "/",
]
NAMES = (
    st.sampled_from(ODD)
    | st.text(max_size=12)
    | st.text(st.characters(codec=None, categories=None), max_size=6)
    | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
)


async def field(name: str, store: Store) -> Any:
    """A field and a key of this name, and of this value; looked for, changed and taken away."""
    class_name = f"C{new_id()}"
    fields = check_fields({name: name, "within": {"list": [name]}})
    await store.objects.insert(class_name, "1", fields)
    found = await store.objects.find(class_name, {name: name}, order=f"-{name}", keys=[name])
    assert found[0][name] == name
    assert await store.objects.count(class_name, {name: {"$in": [name, 1]}}) == 1
    assert await store.objects.count(class_name, {"within.list": name}) == 1
    await store.objects.update(class_name, "1", check_fields({name: {"__op": "Delete"}}))
    assert await store.objects.count(class_name, {name: {"$exists": False}}) == 1
    return len(found)


async def key(name: str, store: Store) -> Any:
    class_name = f"C{new_id()}"
    await store.objects.insert(class_name, "1", check_fields({"a": {name: {name: 1}}}))
    found = (await store.objects.get(class_name, "1"))["a"]
    assert found == {name: {name: 1}}
    return found


async def path(name: str, store: Store) -> Any:
    class_name = f"C{new_id()}"
    await store.objects.insert(class_name, "1", {"a": {"b": 1}})
    return await store.objects.count(class_name, {f"a.{name}": {"$exists": True}})


async def value(text: str, store: Store) -> Any:
    class_name = f"C{new_id()}"
    pointer = {"__type": "Pointer", "className": text, "objectId": text}
    fields = check_fields({"text": text, "list": [text], "pointer": pointer})
    await store.objects.insert(class_name, "1", fields)
    for where in ({"text": text}, {"list": text}, {"pointer": pointer}, {"list": {"$all": [text]}}):
        assert await store.objects.count(class_name, where) == 1
    found = await store.objects.get(class_name, "1")
    assert (found["text"], found["list"], found["pointer"]) == (text, [text], pointer)
    return found["text"]


async def object_id(text: str, store: Store) -> Any:
    class_name = f"C{new_id()}"
    assert await store.objects.find(class_name, {"objectId": text}) == []
    await store.objects.insert(class_name, check_id(text), {})
    assert (await store.objects.get(class_name, text))["objectId"] == text
    assert await store.objects.count(class_name, {"objectId": {"$in": [text]}}) == 1
    return (await store.objects.delete(class_name, text))["objectId"]


async def class_name(text: str, store: Store) -> Any:
    one = new_id()
    await store.objects.insert(check_class(text), one, {})
    found = await store.objects.find(text, {"objectId": one})
    await store.objects.delete(text, one)
    return len(found)


async def player_key(text: str, store: Store) -> Any:
    player = await store.players.create(external_ids={text: text})
    player.private_data[text] = {text: [text]}
    player.script_data[text] = text
    await player.persist()
    found = await store.players.load(player.id)
    assert found is not None
    assert found.private_data == {text: {text: [text]}}
    assert found.script_data == {text: text}
    assert found.external_ids == {text: text}
    return found.script_data


async def config_name(text: str, store: Store) -> Any:
    await store.config.save({text: text}, {text: True})
    assert (await store.config.get(use_master_key=True))[text] == text
    assert text not in await store.config.get()
    await store.config.save({text: {"__op": "Delete"}})
    return len(await store.config.all())


async def user_name(text: str, store: Store) -> Any:
    user = await store.users.find(text)
    # An example before may have used the text, also as an id.
    if user is None or user.user_name != text:
        user = await store.users.add(text, display_name=text)
    assert await store.users.find(text) == user
    assert user.user_name == user.display_name == text
    return user.user_name


async def user_id(text: str, store: Store) -> Any:
    known = await store.users.get(text)
    user = known or await store.users.add(f"of {new_id()}", user_id=text)
    assert user.id == text
    assert await store.players.load(text) is not None
    return user.id


async def credentials(text: str, store: Store) -> Any:
    assert await store.users.by_token(text) is None
    await store.users.log_out(text)
    return await store.users.find(text) is None or text


USES = [
    field,
    key,
    path,
    value,
    object_id,
    class_name,
    player_key,
    config_name,
    user_name,
    user_id,
    credentials,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@settings(max_examples=60)
@given(text=NAMES)
def test_any_text_is_kept_as_it_is_or_refused_alike_on_both_engines(
    beside: Beside, use: Callable[[str, Store], Any], text: str
) -> None:
    beside.on_both(partial(use, text))


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:20]))
def test_an_odd_text_is_kept_as_it_is_or_refused_alike_on_both_engines(
    beside: Beside, use: Callable[[str, Store], Any], text: str
) -> None:
    beside.on_both(partial(use, text))


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_no_statement_holds_what_a_caller_named_or_gave(
    beside: Beside, use: Callable[[str, Store], Any]
) -> None:
    given = "Zzyzx"
    with Statements() as statements:
        assert not isinstance(beside.on_both(partial(use, given)), type)
    assert len(statements.texts) > 4
    assert not [text for text in statements.texts if given.lower() in text.lower()]
