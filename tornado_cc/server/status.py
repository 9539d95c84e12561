"""`/status`: how a running server is, for the commands that ask it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado_cc.core import json_value
from tornado_cc.core.message import Response
from tornado_cc.server.health import HEADERS, Health
from tornado_cc.server.services import Client

STATUS = "/status"

_SHOWN = 100
"""Hosts that keep failing; whoever has more looks at the metrics."""


def page(health: Health, client: Client) -> Callable[[], Response]:
    """The page of one process, which is JSON."""

    def status() -> Response:
        return content(health.facts(), held(client))

    return status


def held(client: Client) -> list[dict[str, Any]]:
    """The hosts that are left alone because they kept failing.

    Each has `host`, `state`, `failures` and `retry_after`, in seconds.
    """
    return [
        {
            "host": one.host,
            "state": one.state.value,
            "failures": one.failures,
            "retry_after": round(one.retry_after, 1),
        }
        for one in client.held()[:_SHOWN]
    ]


def content(facts: Mapping[str, Any], breakers: Iterable[Mapping[str, Any]]) -> Response:
    """What `/readyz` says, and as `breakers` the hosts that are left alone, each of them once.

    Args:
        breakers: as `held` has them, of one worker after another: the one that waits longest
            counts.
    """
    longest: dict[str, Mapping[str, Any]] = {}
    for one in breakers:
        known = longest.get(one["host"])
        if known is None or known["retry_after"] < one["retry_after"]:
            longest[one["host"]] = one
    found = list(longest.values())[:_SHOWN]
    return Response(200, json_value.dump({**facts, "breakers": found}), HEADERS)
