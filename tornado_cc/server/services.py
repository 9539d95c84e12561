"""What hooks may use besides their call, and who stands in until a store is there."""

from tornado_cc.core.ports import Http
from tornado_cc.outbound import HttpClient


class HookServices:
    """The services of a worker, as each hook gets them."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def http(self, until: float) -> Http:
        """The HTTP client, for a hook whose deadline is at this time of the clock."""
        return self._client.bound(until)


class Nobody:
    """The users of a server without a store: no token belongs to anybody."""

    async def by_token(self, token: str) -> str | None:
        """Nobody."""
        return None
