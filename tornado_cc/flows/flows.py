"""From a call to its outcome: picks the flow and hands it what it works with."""

from collections.abc import Awaitable, Callable

from tornado_cc.core.call import Call, CallbackCall, EndpointCall, FunctionCall, TriggerCall
from tornado_cc.core.outcome import Outcome
from tornado_cc.flows import callback, endpoint, function, trigger
from tornado_cc.flows.afterwards import Afterwards
from tornado_cc.flows.identity import Identities
from tornado_cc.flows.players import load
from tornado_cc.hooks import Fires, Registry

Accept = Callable[[Call, object], object]
"""The dialect's check of what a hook returned; raises for what it could not spell."""


class Flows:
    """Runs calls. Knows nothing of HTTP: a dialect has read the call and will spell the outcome."""

    def __init__(
        self,
        registry: Registry,
        runner: Fires,
        afterwards: Afterwards,
        identities: Identities,
    ) -> None:
        self._identities = identities
        self._registry = registry
        self._runner = runner
        self._afterwards = afterwards

    def identify(self, call: Call) -> Awaitable[None] | None:
        """What finds out who calls, to be awaited before anything is done for them.

        None for a call that says so itself. Awaited, it raises a `Refusal` when the caller may not
        call.
        """
        if isinstance(call, CallbackCall):
            return self._identities.of_callback(call)
        if isinstance(call, EndpointCall):
            return self._identities.of_endpoint(call)
        return None

    def run(self, call: Call, accept: Accept) -> Awaitable[Outcome]:
        """The outcome of a call that is identified; whatever a plugin does, there is one.

        Awaited, it raises `StoreUnavailable` when the call is an after-event and cannot be kept.

        Args:
            call: the call as read.
            accept: the dialect's check of each value a hook returns.
        """
        if isinstance(call, FunctionCall):
            if call.user_id is not None:
                return self._with_player(call, accept)
            return function.run(call, accept, self._registry, self._runner)
        if isinstance(call, CallbackCall):
            return callback.run(call, accept, self._registry, self._runner)
        if isinstance(call, EndpointCall):
            return endpoint.run(call, accept, self._registry, self._runner)
        if not isinstance(call, TriggerCall):
            raise TypeError(f"no flow for {type(call).__name__}")
        return self._afterwards.add(call) if call.afterwards else self._with_player(call, accept)

    async def _with_player(self, call: FunctionCall | TriggerCall, accept: Accept) -> Outcome:
        await load(call, self._identities.players)
        if isinstance(call, FunctionCall):
            return await function.run(call, accept, self._registry, self._runner)
        return await trigger.run(call, accept, self._registry, self._runner)
