"""Receivers that were silent are asked by one at a time, until they answer something.

Every attempt that waits for nothing holds a place that after-hooks and others need.
"""

from collections.abc import Awaitable, Callable

from tornado_cc.flows.attempt import Attempt


class Probe:
    """One receiver.

    Attributes:
        is_silent: whether the last attempt got no answer; whoever asks sets it.
    """

    def __init__(self) -> None:
        self.is_silent = False
        self._is_asked = False

    async def ask(self, send: Callable[[], Awaitable[Attempt]], who: str) -> Attempt:
        """How an attempt ends; one that is not made while another probes has failed.

        Args:
            who: the receiver, for the error: `the mail server`.
        """
        if not self.is_silent:
            return await send()
        if self._is_asked:
            return Attempt(error=f"not sent: {who} gave no answer before, and is being asked again")
        self._is_asked = True
        try:
            return await send()
        finally:
            self._is_asked = False
