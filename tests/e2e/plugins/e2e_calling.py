"""Asks a third party, in an async hook, in a plain one and before a save."""

from __future__ import annotations

from typing import Any

from tornado_cc import FunctionCall, HttpError, OutboundError, Plugin, Settings, TriggerCall


class CallingSettings(Settings):
    """`[plugin:e2e_calling]`."""

    url: str = ""


plugin = Plugin("e2e_calling", settings=CallingSettings)


def told(response: Any) -> dict[str, Any]:
    """An answer as a function can give it on."""
    return {
        "status": response.status,
        "data": response.data,
        "cookies": list(response.cookies),
        "location": response.headers.get("location"),
    }


def failed(call: FunctionCall, error: OutboundError) -> dict[str, Any]:
    """A failure by its type, and for an answer what was answered."""
    call.log.warning("third party failed", extra={"error": error}, exc_info=error)
    more = told(error.response) if isinstance(error, HttpError) else {}
    return {"error": type(error).__name__, **more}


@plugin.cloud_function("callOut")
async def call_out(call: FunctionCall) -> dict[str, Any]:
    """Ask as the parameters say."""
    options = dict(call.params)
    try:
        return told(await call.http.request(call.settings.url + options.pop("path"), **options))
    except OutboundError as error:
        return failed(call, error)


@plugin.cloud_function("callOutPlainly")
def call_out_plainly(call: FunctionCall) -> dict[str, Any]:
    """The same without await."""
    options = dict(call.params)
    http: Any = call.http
    try:
        return told(http.request(call.settings.url + options.pop("path"), **options))
    except OutboundError as error:
        return failed(call, error)


@plugin.before_save("Priced")
async def price(call: TriggerCall) -> dict[str, Any]:
    """Look up what the object is worth."""
    answer = await call.http.request(f"{call.settings.url}/moved", follow_redirects=True)
    return {"price": call.object["amount"] * answer.data["rate"], **answer.data}


@plugin.before_save("PricedSlowly")
async def price_slowly(call: TriggerCall) -> None:
    """Ask somebody who does not answer."""
    await call.http.request(f"{call.settings.url}/slow")
