"""What hooks may use besides their call."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from tornado_cc.core.call import Call
from tornado_cc.core.parse import Parse
from tornado_cc.core.ports import Http
from tornado_cc.core.ports import Jobs as HookJobs
from tornado_cc.core.ports import Mail as HookMail
from tornado_cc.core.ports import Webhooks as HookWebhooks
from tornado_cc.core.state import Config
from tornado_cc.core.state import Store as HookStore
from tornado_cc.flows import (
    Attempts,
    CallJobs,
    CallMail,
    CallStore,
    CallWebhooks,
    Jobs,
    Mails,
    Records,
    Webhooks,
)
from tornado_cc.outbound import CallParse, Held, ParseServer, acting


class Declared(Http, Protocol):
    """The way to destinations that the conf names."""

    def within(self, until: float) -> Http:
        """The same for a hook whose deadline is at this time of the clock."""
        ...


class Client(Protocol):
    """The way out of a worker: `open` on its loop, `close` when it has drained."""

    async def open(self) -> None:
        """Make what it needs."""
        ...

    async def close(self) -> None:
        """Send nothing after this."""
        ...

    def bound(self, until: float, plugin: str | None = None) -> Http:
        """The client for a hook of this plugin whose deadline is at this time of the clock."""
        ...

    def declared(
        self, urls: Iterable[str], *, plugin: str | None = None, breaker: bool = True
    ) -> Declared:
        """The client for destinations that the conf itself names, wherever they are."""
        ...

    def held(self) -> Sequence[Held]:
        """The hosts that are left alone now because they kept failing."""
        ...


class HookServices:
    """The services of a worker, as each hook gets them.

    `records`, `promised`, `sent` and `mails` are set once the runner is there: what fires hooks
    needs what hooks are given.
    """

    records: Records
    promised: Jobs
    sent: Webhooks
    mails: Mails

    def __init__(
        self, client: Client, config: Config, log_ins: Attempts, parse_server: ParseServer
    ) -> None:
        self.config = config
        self._parse_server = parse_server
        self._client = client
        self._log_ins = log_ins

    def http(self, plugin: str, until: float) -> Http:
        """The HTTP client, for a hook of this plugin whose deadline is at this time."""
        return self._client.bound(until, plugin)

    def store(self, call: Call | None) -> HookStore:
        """The store, for the hook that got this call."""
        return CallStore(self.records, self._log_ins, call)

    def jobs(self, plugin: str, call: Call | None) -> HookJobs:
        """What puts work off, for the hook of this plugin that got this call."""
        return CallJobs(self.promised, plugin, call)

    def parse(self, call: Call | None, until: float) -> Parse:
        """The Parse Server, for the hook that got this call and its deadline."""
        return CallParse(self._parse_server, acting(call), until)

    def webhooks(self, plugin: str, call: Call | None) -> HookWebhooks:
        """Outgoing webhooks, for the hook of this plugin that got this call."""
        return CallWebhooks(self.sent, plugin, call)

    def mail(self, plugin: str, call: Call | None) -> HookMail:
        """Mail, for the hook of this plugin that got this call."""
        return CallMail(self.mails, plugin, call)
