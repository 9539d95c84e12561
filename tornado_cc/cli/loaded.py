"""The plugins of a conf as they are loaded, and what a running server says of those they ask."""

import http.client
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tornado_cc.cli import tables
from tornado_cc.cli.command import needed_conf
from tornado_cc.cli.output import say
from tornado_cc.cli.serve import build_or_end
from tornado_cc.core import json_value
from tornado_cc.flows import schedules_of
from tornado_cc.hooks.specs import HOOKS
from tornado_cc.server import Built

_PATIENCE = 3.0
"""Seconds that a server on this machine may take to say how it is."""

_LARGEST = 1 << 20
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on
_COLUMNS = ("plugin", "version", "from", "hosts", "schedules", "hooks")
_HELD = ("host", "circuit", "failures", "asked again in")

NOT_RUNNING = "not running"


def show_plugins(as_json: bool) -> None:
    """Print them, and how the server is; ends the process when a plugin cannot be loaded."""
    built = build_or_end(needed_conf())
    found = list(_facts(built))
    server = _server(built.configuration.admin.bind)
    if as_json:
        say(json_value.dump({"plugins": found, "server": server}).decode())
        return
    if found:
        tables.show(_COLUMNS, map(_row, found))
        say("")
    _show_server(server)


def _facts(built: Built) -> Iterable[dict[str, Any]]:
    """Each plugin as JSON. Hosts are null where nothing but the guard says who may be reached."""
    in_order = sorted(built.registry.everything(), key=lambda one: HOOKS.index(one.hook))
    schedules = schedules_of(built.registry)
    for name, source in sorted(built.loaded.sources.items()):
        hosts = built.configuration.plugin_sections[name].hosts
        yield {
            "name": name,
            "version": source.version or None,
            "distribution": source.distribution,
            "hooks": [
                " ".join((one.hook, *(one.claim or ())))
                for one in in_order
                if one.plugin == name and one.hook != "on_schedule"
            ],
            "schedules": [
                {"name": one.name, "every": one.every.text, "next": one.next_due()}
                for one in schedules
                if one.one.plugin == name
            ],
            "hosts": None if hosts is None else [str(one) for one in hosts],
        }


def _row(facts: Mapping[str, Any]) -> Sequence[str]:
    schedules = [f"{one['name']} every {one['every']}" for one in facts["schedules"]]
    hosts = facts["hosts"]
    return (
        facts["name"],
        facts["version"] or "-",
        facts["distribution"],
        "any" if hosts is None else ", ".join(hosts) or "none",
        ", ".join(schedules) or "-",
        ", ".join(facts["hooks"]) or "-",
    )


def _server(bind: tuple[str, int] | None) -> dict[str, Any]:
    """What the running server says; its `status` is `NOT_RUNNING` when none does."""
    if bind is None:
        return {"address": None, "status": "not asked, as [admin] bind is off", "breakers": []}
    host, port = _EVERYWHERE.get(bind[0], bind[0]), bind[1]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    facts = _asked(host, port)
    if facts is None:
        return {"address": address, "status": NOT_RUNNING, "breakers": []}
    return {"address": address, **facts}


def _asked(host: str, port: int) -> dict[str, Any] | None:
    """The page `/status`, None when nobody answers with it."""
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", "/status")
        response = connection.getresponse()
        page = json_value.parse(response.read(_LARGEST))
    except (OSError, http.client.HTTPException, json_value.NotJson):
        return None
    finally:
        connection.close()
    if response.status != 200 or not isinstance(page, dict) or "breakers" not in page:
        return None
    return page


def _show_server(server: Mapping[str, Any]) -> None:
    where = f" at {server['address']}" if server["address"] else ""
    say(f"server{where}: {server['status']}")
    held = server["breakers"]
    if held:
        say("")
        rows = [
            (one["host"], one["state"], str(one["failures"]), f"{one['retry_after']} s")
            for one in held
        ]
        tables.show(_HELD, rows, numbers=("failures",))
