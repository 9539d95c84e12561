"""A custom endpoint: who calls, then its owner, or the first plain hookimpl that takes it."""

from collections.abc import Callable
from typing import Any

from tornado_cc.core.call import EndpointCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.core.ports import Users
from tornado_cc.hooks import Registry, Runner

GOD = "_god"
"""The user of a master key that came without a token."""


async def run(
    call: EndpointCall,
    accept: Callable[[EndpointCall, object], Any],
    registry: Registry,
    runner: Runner,
    users: Users,
) -> Outcome:
    """A reply with the response, a refusal, or silence when nobody serves the path."""
    refusal = await _identify(call, users)
    if refusal is not None:
        return refusal
    for one in registry.who(call.hook, call.claim):
        given = call.given_to(one.plugin, one.settings, one.log)
        if one.claim is None:
            # None of a plain hookimpl means "not mine", which has no response.
            fired = await runner.run(
                one, given, lambda mine, value: _unless_none(accept, mine, value)
            )
        else:
            fired = await runner.run(one, given, accept)
        if fired.refusal is not None:
            return fired.refusal
        if fired.value is not None:
            return Reply(fired.value)
    return SILENCE


def _unless_none(
    accept: Callable[[EndpointCall, object], Any], given: EndpointCall, value: object
) -> Any:
    return None if value is None else accept(given, value)


async def _identify(call: EndpointCall, users: Users) -> Refusal | None:
    """Set `call.user_id`; without a requirement every problem is passed over (soft)."""
    if call.access_token is not None:
        call.user_id = await users.by_token(call.access_token)
        if call.user_id is None and call.key_required:
            return Refusal("bad token", reason=Reason.BAD_TOKEN)
    if call.user_required and call.user_id is None:
        if not call.master:
            return Refusal("no user", reason=Reason.NO_USER)
        call.user_id = GOD
    return None
