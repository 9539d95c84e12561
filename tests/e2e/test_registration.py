"""`hooks plan`, `apply` and `drop` at a real Parse Server, which is restarted meanwhile."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.processes import free_port

from .parse import Keys, ParseServer, parse_server
from .product import TornadoCC, run_hooks, serving, write_conf

TO_DO = 3
PLACE = "http://127.0.0.1:1025"
ELSEWHERE = f"{PLACE}/elsewhere"
OURS, JAVASCRIPT = "Hello World!", "from JavaScript"
CLOUD = 'Parse.Cloud.define("helloWorld", () => "from JavaScript");'


@dataclass(frozen=True)
class Place:
    """A Parse Server of our own that can be started again where it was."""

    database: str
    folder: Path
    port: int
    keys: Keys

    @contextmanager
    def running(self, *, javascript: bool = False) -> Iterator[ParseServer]:
        """Run it, with cloud code in JavaScript of the name of one of our functions."""
        cloud = self.folder / "main.js"
        cloud.write_text(CLOUD)
        with parse_server(
            self.database,
            self.folder / "parse_server.log",
            keys=self.keys,
            port=self.port,
            cloud=cloud if javascript else None,
        ) as server:
            yield server


@pytest.fixture
def place(cluster: Cluster, tmp_path: Path) -> Iterator[Place]:
    """Where it is, with nothing registered."""
    with cluster.database("postgis") as url:
        yield Place(url, tmp_path, free_port(), Keys())


def conf_of(server: ParseServer, folder: Path, more: str = "") -> Path:
    """The conf of a tornado_cc that this Parse Server is to call; it does not run."""
    folder.mkdir()
    return write_conf(folder, server.keys.webhook, parse=server, more=more)


def facts(conf: Path) -> dict[str, Any]:
    """The plan as JSON."""
    told = run_hooks(conf, "plan", "--json")
    assert told.returncode in (0, TO_DO), told.stderr
    plan: dict[str, Any] = json.loads(told.stdout)
    assert plan["changes"] == (told.returncode == TO_DO)
    return plan


def readiness(product: TornadoCC) -> dict[str, str]:
    """What it says of itself to whoever sends it work."""
    with urllib.request.urlopen(f"{product.url}/readyz", timeout=5) as response:
        assert response.status == 200
        page: dict[str, str] = json.load(response)
        return page


def test_hooks_are_planned_applied_and_dropped(place: Place) -> None:
    """Each does what the plan before it says, and what others registered stays."""
    with place.running() as server:
        conf = conf_of(server, place.folder / "ours")
        server.register_function("theirs", f"{ELSEWHERE}?key=CANARY")
        planned = run_hooks(conf, "plan")
        assert planned.returncode == TO_DO
        lines = planned.stdout.splitlines()
        assert {"+ function helloWorld", "+ trigger Review beforeSave"} <= {*lines}
        assert f"  function theirs at {PLACE}, left alone" in lines
        assert "CANARY" not in planned.stdout + planned.stderr
        assert "CANARY" not in run_hooks(conf, "plan", "--json").stdout
        assert list(server.registered()) == ["theirs"]

        applied = run_hooks(conf, "apply")
        assert (applied.returncode, applied.stderr) == (0, "")
        missing = [line for line in lines if line.startswith("+")]
        assert applied.stdout.splitlines()[:-1] == missing
        count = len(missing)
        after = run_hooks(conf, "plan")
        assert after.returncode == 0
        assert after.stdout.splitlines()[-1] == f"no changes: {count} registered"
        again = run_hooks(conf, "apply")
        assert again.stdout == f"0 registered, 0 changed, 0 removed, {count} confirmed\n"

        root = server.registered()["helloWorld"].removesuffix("helloWorld")
        server.register_function("orphan", f"{root}orphan")
        server.register_function("helloWorld", ELSEWHERE)
        plan = facts(conf)
        assert plan["missing"] == []
        assert plan["orphans"] == [{"functionName": "orphan"}]
        assert plan["moved"] == [{"functionName": "helloWorld", "url": PLACE}]
        assert len(plan["registered"]) == count - 1

        asked = run_hooks(conf, "apply")
        assert asked.returncode == 1
        assert "nothing was done: removing 1 webhook takes --yes" in asked.stderr
        assert server.registered()["helloWorld"] == ELSEWHERE
        kept = json.loads(run_hooks(conf, "apply", "--keep-orphans", "--json").stdout)
        assert (kept["changed"], kept["removed"]) == ([{"functionName": "helloWorld"}], [])
        assert run_hooks(conf, "apply", "--yes").stdout.startswith("- function orphan\n")
        assert facts(conf)["changes"] is False

        dropped = run_hooks(conf, "drop", "--yes")
        assert dropped.stdout.splitlines()[-1].startswith(f"0 registered, 0 changed, {count} remov")
        assert list(server.registered()) == ["theirs"]


def test_a_server_keeps_its_hooks_while_the_parse_server_restarts(place: Place) -> None:
    """Those that were removed come back, and JavaScript of the same name does not stay before."""
    with place.running() as server:
        conf = conf_of(server, place.folder / "ours", "keep_hooks = on\nkeep_hooks_every = 1\n")
        assert run_hooks(conf, "apply").returncode == 0
    with place.running(javascript=True) as server:
        assert server.anyone.run("helloWorld").ok() == {"result": JAVASCRIPT}
        with serving(conf) as product:

            def is_ours() -> bool:
                return bool(server.anyone.run("helloWorld").body.get("result") == OURS)

            def is_registered() -> bool:
                return readiness(product) == {"status": "ready", "parse_hooks": "registered"}

            product.child.wait_until(is_ours, 20)
            gone = server.master.call("PUT", "hooks/triggers/Review/beforeSave", {"__op": "Delete"})
            assert gone.is_ok
            product.child.wait_until(lambda: "Review beforeSave" in server.registered(), 20)
            product.child.wait_until(is_registered, 20)
            server.child.stop()
            product.child.wait_until(lambda: "unknown" in readiness(product)["parse_hooks"], 20)
            with place.running(javascript=True) as restarted:
                server = replace(restarted)
                product.child.wait_until(is_ours, 20)
                product.child.wait_until(is_registered, 20)
            assert server.keys.master not in product.child.output()


def test_a_server_that_does_not_keep_them_says_what_has_drifted(place: Place) -> None:
    """And stays ready: it can still answer those that are registered."""
    with place.running() as server:
        conf = conf_of(server, place.folder / "ours", "keep_hooks_every = 1\n")
        assert run_hooks(conf, "apply").returncode == 0
        with serving(conf) as product:

            def drifts(what: str) -> None:
                product.child.wait_until(lambda: readiness(product)["parse_hooks"] == what, 20)

            drifts("registered")
            server.master.call("PUT", "hooks/functions/helloWorld", {"__op": "Delete"}).ok()
            server.register_trigger("Review", "beforeSave", ELSEWHERE)
            drifts("1 missing, 1 registered elsewhere")
            assert "helloWorld" not in server.registered()


def test_a_wrong_master_key_is_said_and_not_shown(place: Place) -> None:
    """Nothing else than that it is wrong."""
    with place.running() as server:
        wrong = replace(server, keys=replace(server.keys, master="CANARY-0123456789"))
        ended = run_hooks(conf_of(wrong, place.folder / "ours"), "plan")
        assert (ended.returncode, ended.stdout) == (70, "")
        assert "refused with code" in ended.stderr
        assert "CANARY" not in ended.stderr
