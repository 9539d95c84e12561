"""Requests that are told of and not sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tornado_cc.outbound.breaker import Held
from tornado_cc.outbound.errors import shown
from tornado_cc.outbound.request import prepare
from tornado_cc.outbound.response import HttpResponse


@dataclass(frozen=True, slots=True)
class Unsent:
    """A request that would have been sent.

    Attributes:
        url: without user, password, query and fragment, as each may be a secret.
        size: bytes of the body.
        content_type: what the body would have been called; empty when it has no name.
    """

    method: str
    url: str
    size: int
    content_type: str


class UnsentClient:
    """Stands for the client, opens no connection, and answers everything with an empty 200."""

    def __init__(self, notice: Callable[[Unsent], None]) -> None:
        self._notice = notice

    async def open(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    def bound(self, until: float, plugin: str | None = None) -> "UnsentClient":
        """The same for every hook: there is nothing to wait for."""
        return self

    def declared(
        self, urls: Iterable[str], *, plugin: str | None = None, breaker: bool = True
    ) -> "UnsentClient":
        """The same for every destination: no connection is made."""
        return self

    def within(self, until: float) -> "UnsentClient":
        """The same for every deadline."""
        return self

    def held(self) -> Sequence[Held]:
        """Nobody, as nobody fails."""
        return ()

    async def request(
        self,
        url: str,
        *,
        method: str = "GET",
        params: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, Any] | None = None,
        body: object = None,
        follow_redirects: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109 - as the client has it
        raise_for_status: bool = True,
        followRedirects: bool = False,  # noqa: N803 - Parse's spelling of it
    ) -> HttpResponse:
        """Tell of a request. Raises `RequestError` for one that makes no sense."""
        prepared = prepare(url, method, params, headers, body)
        kinds = [value for name, value in prepared.headers if name.lower() == "content-type"]
        self._notice(
            Unsent(prepared.method, shown(prepared.url), len(prepared.body or b""), "".join(kinds))
        )
        return HttpResponse(200, {}, b"")
