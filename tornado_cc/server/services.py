"""What hooks may use besides their call."""

from tornado_cc.core.call import Call
from tornado_cc.core.ports import Http
from tornado_cc.core.state import Config
from tornado_cc.core.state import Store as HookStore
from tornado_cc.flows import Attempts, CallStore, Records
from tornado_cc.outbound import HttpClient


class HookServices:
    """The services of a worker, as each hook gets them.

    `records` is set once the runner is there: what fires hooks needs what hooks are given.
    """

    records: Records

    def __init__(self, client: HttpClient, config: Config, log_ins: Attempts) -> None:
        self.config = config
        self._client = client
        self._log_ins = log_ins

    def http(self, until: float) -> Http:
        """The HTTP client, for a hook whose deadline is at this time of the clock."""
        return self._client.bound(until)

    def store(self, call: Call | None) -> HookStore:
        """The store, for the hook that got this call."""
        return CallStore(self.records, self._log_ins, call)
