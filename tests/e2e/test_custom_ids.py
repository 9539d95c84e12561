"""A Parse Server whose clients may choose the ids of their objects."""

from __future__ import annotations

import pytest

from .parse import ParseServer
from .test_parse_server import fields_of

CLASSES = {"Typed": {}, "Diary": {"seen": "in place"}, "Partial": {"seen": "by mapping"}}


@pytest.mark.parametrize("class_name", CLASSES)
def test_an_id_the_client_chose_is_kept(choosy: ParseServer, class_name: str) -> None:
    """Also when a plugin changes another field of the new object."""
    object_id = f"chosen{class_name}"
    created = choosy.anyone.create(class_name, {"objectId": object_id, "a": 1}).ok()
    assert created["objectId"] == object_id
    stored = choosy.master.get(class_name, object_id).ok()
    assert fields_of(stored) == {"a": 1, **CLASSES[class_name]}


@pytest.mark.parametrize("class_name", CLASSES)
def test_an_id_the_client_did_not_choose_is_the_servers(
    choosy: ParseServer, class_name: str
) -> None:
    """Where clients may choose they need not."""
    created = choosy.anyone.create(class_name, {"a": 1}).ok()
    choosy.anyone.update(class_name, created["objectId"], {"a": 2}).ok()
    stored = choosy.master.get(class_name, created["objectId"]).ok()
    assert fields_of(stored) == {"a": 2, **CLASSES[class_name]}
