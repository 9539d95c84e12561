"""Who calls: one identity over all dialects, whichever of them says it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from tornado_cc.core import clock, state
from tornado_cc.core.call import CallbackCall, EndpointCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.ports import Users
from tornado_cc.core.state import User
from tornado_cc.flows.attempts import Attempts
from tornado_cc.flows.players import load
from tornado_cc.store import Players, UserDisabled
from tornado_cc.store.ids import GOD


@dataclass(frozen=True, slots=True)
class Identities:
    """Finds out who calls, before any hook runs."""

    users: Users
    players: Players
    attempts: Attempts

    async def of_callback(self, call: CallbackCall) -> None:
        """Find the player in the URL; one nobody knows is no player (spec gamesparks, row 17).

        Raises:
            Refusal: nobody knows them and the settings want them known.
            StoreUnavailable: nobody can tell.
        """
        if call.player_id is None:
            return
        call.player = cast(state.Player | None, await self.players.load(call.player_id))
        if call.player is None:
            if call.player_required:
                raise Refusal("Not found", reason=Reason.NOT_FOUND, log="unknown player")
            call.player_id = None
        call.user_id = call.player_id

    async def of_endpoint(self, call: EndpointCall) -> None:
        """Set `call.user_id` and `call.player`; what is not required is passed over (soft).

        Raises:
            Refusal: the call needs a user and has none that may call.
        """
        if call.user_id is not None:
            # Somebody vouches for them: they were let in when the request came first.
            await load(call, self.players)
            return
        user = await self._by_token(call)
        if user is not None and (problem := _kept_out(call, user)) is not None:
            if call.user_required:
                raise problem
            user = None
        if user is not None:
            call.user_id = user.id
            await load(call, self.players)
        elif call.user_required:
            if not call.master:
                raise Refusal("no user", reason=Reason.NO_USER)
            call.user_id = GOD

    async def _by_token(self, call: EndpointCall) -> User | None:
        if call.access_token is None:
            return None
        remote = call.request.remote
        async with self.attempts.trying(remote):
            user = await self.users.by_token(call.access_token)
            if user is None:
                self.attempts.note(remote)
        if user is None and call.key_required:
            raise Refusal("bad token", reason=Reason.BAD_TOKEN)
        return user


def _kept_out(call: EndpointCall, user: User) -> Refusal | None:
    """Why somebody who is known may not call all the same (spec skygear, section 2)."""
    if user.disabled:
        return UserDisabled(user.disabled_message, user.disabled_until)
    if call.verification_required and not user.verified:
        return Refusal("User is not yet verified", reason=Reason.UNVERIFIED)
    if call.password_days and user.password_set_at is not None:
        oldest = clock.iso(clock.utc_now() - timedelta(days=call.password_days))
        if user.password_set_at < oldest:
            return Refusal("password expired", reason=Reason.PASSWORD_EXPIRED)
    return None
