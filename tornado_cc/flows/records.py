"""Writing an object from within: before-hooks, the store, after-hooks. The one way to an object.

Whoever writes one, its hooks fire as for a Parse Server's webhook: with the whole object and the
changes laid over it, operations still operations.
"""

from collections.abc import Mapping
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.call import Call, TriggerCall
from tornado_cc.core.errors import Failure, Refusal
from tornado_cc.core.message import Headers, Request
from tornado_cc.core.outcome import Reply
from tornado_cc.flows import trigger
from tornado_cc.flows.afterwards import Afterwards
from tornado_cc.flows.players import load
from tornado_cc.hooks import Fires, Registry
from tornado_cc.store import Store, TooDeep
from tornado_cc.store.fields import RESERVED, check_fields, check_id
from tornado_cc.store.ids import new_id
from tornado_cc.store.lanes import Wanted, enqueue
from tornado_cc.store.objects import Along

Object = dict[str, Any]
Promised = list[Wanted]

MAX_DEPTH = 8
"""How many writes may lead to one another: a hook that stores what fires it would never end."""

_NOBODY = Call(dialect="store", hook="", claim=(), request=Request("", "", "", Headers(), b""))
"""In whose name a plugin writes that starts or stops."""


class Records:
    """The writes of hooks, each with the hooks it fires."""

    def __init__(
        self, store: Store, registry: Registry, runner: Fires, afterwards: Afterwards
    ) -> None:
        self.store = store
        self._registry = registry
        self._runner = runner
        self._afterwards = afterwards

    async def create(
        self, origin: Call | None, class_name: str, fields: Mapping[str, Any], object_id: str | None
    ) -> Object:
        """Store a new object. Raises what a before-hook refuses with, and `StoreError`s."""
        changes = check_fields(fields)
        self._check_depth(origin, class_name, "save")
        shown = dict(changes)
        if object_id is not None:
            shown["objectId"] = check_id(object_id)
        changes, jobs = await self._before_save(origin, class_name, changes, shown, None)
        along = self._along(origin, "after_save", class_name, jobs)
        object_id = object_id or new_id()
        stored = await self.store.objects.insert(class_name, object_id, changes, along)
        self._promised(along)
        return stored

    async def update(
        self,
        origin: Call | None,
        class_name: str,
        object_id: str,
        changes: Mapping[str, Any],
        where: Mapping[str, Any] | None,
    ) -> Object:
        """Change an object. Raises what a before-hook refuses with, and `StoreError`s."""
        checked, object_id = check_fields(changes), check_id(object_id)
        jobs: Promised = []
        self._check_depth(origin, class_name, "save")
        if self._registry.who("before_save", (class_name,)):
            original = await self.store.objects.get(class_name, object_id, where)
            shown = {**original, **checked}
            checked, jobs = await self._before_save(origin, class_name, checked, shown, original)
        along = self._along(origin, "after_save", class_name, jobs)
        _, after = await self.store.objects.update(class_name, object_id, checked, where, along)
        self._promised(along)
        return after

    async def delete(
        self,
        origin: Call | None,
        class_name: str,
        object_id: str,
        where: Mapping[str, Any] | None,
    ) -> None:
        """Remove an object. Raises what a before-hook refuses with, and `StoreError`s."""
        check_id(object_id)
        jobs: Promised = []
        self._check_depth(origin, class_name, "delete")
        if self._registry.who("before_delete", (class_name,)):
            original = await self.store.objects.get(class_name, object_id, where)
            call = _call(origin, "before_delete", class_name, original, None)
            _, jobs = await self._run(call)
        along = self._along(origin, "after_delete", class_name, jobs)
        await self.store.objects.delete(class_name, object_id, where, along)
        self._promised(along)

    def _check_depth(self, origin: Call | None, class_name: str, event: str) -> None:
        """Before anything is stored: what an after-hook writes may lead too deep as well.

        Raises:
            TooDeep: writes of hooks have led to one another for too long.
        """
        if origin is None or origin.depth < MAX_DEPTH:
            return
        hooks = (f"before_{event}", f"after_{event}")
        if any(self._registry.who(hook, (class_name,)) for hook in hooks):
            raise TooDeep(
                f"Hooks store objects whose hooks store objects, {MAX_DEPTH} times over; the last"
                f" wrote to class {class_name}"
            )

    async def _before_save(
        self,
        origin: Call | None,
        class_name: str,
        changes: Object,
        shown: Object,
        original: Object | None,
    ) -> tuple[Object, Promised]:
        """The changes once the hooks have had their say, and what they put off."""
        if not self._registry.who("before_save", (class_name,)):
            return changes, []
        call = _call(origin, "before_save", class_name, shown, original)
        left, jobs = await self._run(call)
        return check_fields({**changes, **difference(call.object, left)}), jobs

    async def _run(self, call: TriggerCall) -> tuple[Object, Promised]:
        """The object as the hooks left it, and what they put off, to be stored with it."""
        jobs = call.pending = []
        await load(call, self.store.players)
        outcome = await trigger.run(call, _accept, self._registry, self._runner)
        if isinstance(outcome, Failure):
            # The writer is a hook too, and it may be one that is passed over when its time is up.
            outcome.timed_out = False
        if isinstance(outcome, Refusal):
            raise outcome
        if not isinstance(outcome, Reply):
            return call.object, jobs
        assert isinstance(outcome.value, dict)
        return outcome.value, jobs

    def _promised(self, along: Along | None) -> None:
        """Have somebody look what is due, unless nothing was promised with the write."""
        if along is not None:
            self._afterwards.wake()

    def _along(
        self, origin: Call | None, hook: str, class_name: str, jobs: Promised
    ) -> Along | None:
        """Promises the after-hooks in the transaction of the change itself: both or neither.

        Args:
            jobs: what the before-hooks put off, to be promised there as well.
        """
        is_wanted = self._afterwards.is_wanted(hook, class_name)
        if not is_wanted and not jobs:
            return None

        def along(connection: Any, stored: Object, original: Object | None) -> None:
            call = _call(origin, hook, class_name, stored, original)
            after = self._afterwards.deliveries(call) if is_wanted else []
            enqueue(connection, [*jobs, *after])

        return along


def _call(
    origin: Call | None, hook: str, class_name: str, shown: Object, original: Object | None
) -> TriggerCall:
    """The call a write makes, in the name of the call whose hook writes."""
    first, second = hook.split("_")
    afterwards = first == "after"
    maker = origin if origin is not None else _NOBODY
    call = TriggerCall(
        dialect=maker.dialect,
        hook=hook,
        claim=(class_name,),
        request=maker.request,
        user=json_value.clone(maker.user),
        user_id=maker.user_id,
        client=maker.client,
        master=True,
        installation_id=maker.installation_id,
        context=json_value.clone(maker.context),
        depth=maker.depth + 1,
        trigger=f"{first}{second.capitalize()}",
        class_name=class_name,
        object={**shown, "className": class_name},
        original=None if original is None else {**original, "className": class_name},
        before=not afterwards,
        afterwards=afterwards,
    )
    call.record = maker.record
    return call


def _accept(_: TriggerCall, value: object) -> Any:
    return json_value.checked(value)


def difference(shown: Object, left: Object) -> Object:
    """What the hooks changed, as changes: a field they took away is deleted."""
    changed = {
        name: value
        for name, value in left.items()
        if name not in RESERVED and not (name in shown and json_value.same(value, shown[name]))
    }
    gone = {name: {"__op": "Delete"} for name in shown if name not in left and name not in RESERVED}
    return {**changed, **gone}
