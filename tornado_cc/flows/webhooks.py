"""Outgoing webhooks: promised by a hook, and sent until their receiver has taken them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from tornado_cc.core import clock, json_value
from tornado_cc.core.call import Call
from tornado_cc.core.ports import Http
from tornado_cc.core.redact import Redactor
from tornado_cc.core.state import Service
from tornado_cc.flows import payload
from tornado_cc.flows.attempt import Attempt
from tornado_cc.flows.probe import Probe
from tornado_cc.flows.promise import promise
from tornado_cc.outbound import (
    HttpError,
    HttpResponse,
    OutboundError,
    TimeoutExpired,
    signature,
)
from tornado_cc.outbound.address import check_url
from tornado_cc.settings import WebhookSettings
from tornado_cc.store import Store
from tornado_cc.store.lanes import NewDelivery, lane
from tornado_cc.store.outbox import Claimed

WEBHOOK = "webhook"
"""The kind of delivery that sends a webhook; its payload is the body, byte for byte."""

_GONE = 410


class Webhooks:
    """Promises webhooks, and sends them when they are due.

    Args:
        http: the way out, without a deadline of its own.
        destinations: where they go, by name.
    """

    def __init__(
        self,
        store: Store,
        http: Http,
        destinations: Mapping[str, WebhookSettings],
        redactor: Redactor,
    ) -> None:
        self._store = store
        self._http = http
        self._destinations = destinations
        self._redactor = redactor
        self._probes = {name: Probe() for name in destinations}
        self.wake: Callable[[], None] = lambda: None

    @property
    def names(self) -> tuple[str, ...]:
        """Those there are, in the order of the conf."""
        return tuple(self._destinations)

    async def add(
        self,
        plugin: str,
        origin: Call | None,
        name: str,
        content: object,
        key: str | None,
        event: str | None,
    ) -> str:
        """Promise a webhook and return the id of its delivery.

        While an object is about to be stored it is only put beside it, to be stored with it.

        Raises:
            ValueError: the conf has no such webhook, or payload, key or event are not allowed.
            StoreUnavailable: it cannot be promised.
        """
        self._check_name(name)
        record = None if origin is None else origin.record
        new = NewDelivery(
            kind=WEBHOOK,
            plugin=plugin,
            target=name,
            payload=self._body(name, content, event),
            lane=self._lane(name, key),
            request_id=None if record is None else record.id,
        )
        await promise(self._store, self.wake, origin, new)
        return new.id

    async def perform(self, claimed: Claimed) -> Attempt:
        """Send one webhook once."""
        destination = self._destinations.get(claimed.target)
        if destination is None:
            return Attempt(error=f"the conf has no section [webhook:{claimed.target}] now")
        probe = self._probes[claimed.target]
        return await probe.ask(lambda: self._send(claimed, destination), "the receiver")

    async def _send(self, claimed: Claimed, destination: WebhookSettings) -> Attempt:
        body = claimed.payload.encode()
        headers = signature.headers(claimed.id, body, destination.secret)
        try:
            response: HttpResponse = await self._http.request(
                destination.url.url.reveal(),
                method="POST",
                headers={"Content-Type": "application/json", **headers},
                body=body,
                timeout=destination.timeout,
            )
        except HttpError as error:
            response = error.response
        except TimeoutExpired as error:
            self._probes[claimed.target].is_silent = True
            return Attempt(error=error.problem)
        except OutboundError as error:
            return Attempt(error=error.problem)
        self._probes[claimed.target].is_silent = False
        return _answered(response)

    def _check_name(self, name: object) -> None:
        if not isinstance(name, str) or name not in self._destinations:
            known = ", ".join(self._destinations) or "none"
            raise ValueError(
                f"there is no webhook {name!r}; a section [webhook:NAME] makes one. Known: {known}"
            )

    def _body(self, name: str, content: object, event: object) -> str:
        problem = f"webhook {name} cannot be sent"
        if event is not None:
            if not isinstance(event, str) or not event:
                raise ValueError(f"{problem}: an event is a text, not {event!r}")
            content = {"type": event, "timestamp": clock.now(), "data": content}
        value = payload.checked(problem, content, self._redactor)
        return json_value.dump(value).decode()

    def _lane(self, name: str, key: object) -> str | None:
        if key is None:
            return None
        if not isinstance(key, str):
            raise ValueError(f"webhook {name} cannot be sent: a key is a text, not {key!r}")
        if self._redactor.kept(key) != key:
            raise ValueError(
                f"webhook {name} cannot be sent: its key is a secret, which the database must not"
                " have"
            )
        return lane(f"{WEBHOOK} {name}|{key}")


class CallWebhooks(Service):
    """Outgoing webhooks as one hook has them; `core.ports.Webhooks` says what the members do."""

    __slots__ = ("_call", "_plugin", "_webhooks")

    def __init__(self, webhooks: Webhooks, plugin: str, call: Call | None) -> None:
        self._webhooks = webhooks
        self._plugin = plugin
        self._call = call

    def __repr__(self) -> str:
        return "<Webhooks>"

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the conf has."""
        return self._webhooks.names

    async def send(
        self, name: str, payload: object, *, key: str | None = None, event: str | None = None
    ) -> str:
        """Have a webhook sent, and return the id of its delivery."""
        return await self._webhooks.add(self._plugin, self._call, name, payload, key, event)


def unsendable(settings: WebhookSettings) -> Iterator[tuple[str, str]]:
    """The settings with which nothing could be sent, each with why; the words quote nothing."""
    try:
        check_url(settings.url.url.reveal())
    except ValueError as error:
        yield "url", str(error)
    try:
        if settings.secret is not None:
            signature.key_of(settings.secret)
    except ValueError as error:
        yield "secret", str(error)


def _answered(response: HttpResponse) -> Attempt:
    """How an attempt ended that was answered. What the answer says may be a secret of theirs."""
    if 200 <= response.status < 300:
        return Attempt()
    error = f"answered {response.status}"
    if response.status == _GONE:
        return Attempt(error=f"{error}: the receiver wants no more of them", final=True)
    if response.status < 400:
        error = f"{error}: redirects are not followed"
    return Attempt(error=error, not_before=retry_after(response.headers.get("retry-after")))


def retry_after(text: str | None) -> float | None:
    """The seconds that a receiver asks to be left alone for; None when it does not say."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is in GMT, as every date of HTTP.
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - clock.utc_now()).total_seconds(), 0)
