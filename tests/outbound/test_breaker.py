"""A host that keeps failing is left alone, then tried with one request, and asked again."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.outbound.conftest import Opened, Wired
from tests.outbound.wire import answer, hang, reset, say
from tests.receiver import closed_port
from tornado_cc.core import clock
from tornado_cc.core.meter import Unmetered
from tornado_cc.outbound import (
    AddressRefused,
    CircuitOpen,
    ConnectError,
    HttpError,
    OutboundError,
    RequestError,
    ResponseError,
    TimeoutExpired,
)
from tornado_cc.outbound import breaker as breakers
from tornado_cc.outbound.breaker import Admission, Breakers
from tornado_cc.settings import OutboundSettings
from tornado_cc.settings.schema import PluginSection

FAILING = answer(b"", status="503 Service Unavailable")


class Noted(Unmetered):
    """A meter that keeps what it is told of breakers."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str, str]] = []

    def breaker_changed(self, host: str, before: str, after: str) -> None:
        self.changes.append((host, before, after))


class Hosts:
    """Breakers over a clock that stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
        self.now = 1000.0
        self.meter = Noted()
        monkeypatch.setattr(clock, "monotonic", lambda: self.now)
        self.breakers = Breakers(OutboundSettings(**given), self.meter, lambda host, port: host)

    def ask(self, failed: bool | None, host: str = "a") -> str:
        """One request that ends so; what became of it."""
        try:
            with self.breakers.admitted(host, 80, f"http://{host}/") as admission:
                end(admission, failed)
        except CircuitOpen:
            return "held"
        return "sent"

    def ask_all(self, *failed: bool | None, host: str = "a") -> list[str]:
        return [self.ask(one, host) for one in failed]

    @property
    def states(self) -> dict[str, str]:
        return {one.host: one.state.value for one in self.breakers.held()}


def end(admission: Admission, failed: bool | None) -> None:
    if failed is not None:
        (admission.failed if failed else admission.succeeded)()


def test_failures_one_after_another_open_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=3)
    assert hosts.ask_all(True, True, False, True, True) == ["sent"] * 5
    assert hosts.states == {}
    assert hosts.ask_all(True, True, False) == ["sent", "held", "held"]
    assert hosts.states == {"a:80": "open"}
    assert hosts.ask(False, "b") == "sent"


def test_a_request_that_was_given_up_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=2)
    assert hosts.ask_all(True, None, None, True) == ["sent"] * 4
    assert hosts.states == {"a:80": "open"}


def test_a_part_of_many_requests_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=100, breaker_rate=50, breaker_requests=10)
    assert hosts.ask_all(*[True, False, False] * 4) == ["sent"] * 12
    assert hosts.states == {}
    assert hosts.ask_all(*[True] * 6) == ["sent"] * 4 + ["held"] * 2
    assert hosts.states == {"a:80": "open"}


def test_too_few_requests_are_no_part_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=100, breaker_requests=10)
    assert hosts.ask_all(*[True, True, False] * 3) == ["sent"] * 9
    assert hosts.states == {}


def test_what_is_older_than_the_window_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=100, breaker_requests=10, breaker_window=30)
    for _ in range(5):
        hosts.ask_all(True, False, True)
        hosts.now += 31
    assert hosts.states == {}
    assert "sent" in hosts.ask_all(False)
    assert hosts.breakers._hosts == {}


def test_after_a_pause_one_request_tries_it_and_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=1, breaker_pause=30)
    hosts.ask(True)
    hosts.now += 29.9
    assert hosts.ask(False) == "held"
    hosts.now += 0.1
    with hosts.breakers.admitted("a", 80, "http://a/") as probe:
        assert hosts.ask_all(False, False) == ["held", "held"]
        assert hosts.states == {"a:80": "half-open"}
        probe.succeeded()
    assert hosts.ask_all(False, False) == ["sent", "sent"]
    assert hosts.meter.changes == [
        ("a", "closed", "open"),
        ("a", "open", "half-open"),
        ("a", "half-open", "closed"),
    ]


def test_what_was_before_it_closed_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=2, breaker_requests=4)
    hosts.ask_all(True, True)
    hosts.now += 30
    assert hosts.ask_all(False, True, False, True, False) == ["sent"] * 5
    assert hosts.states == {}


def test_a_try_that_fails_opens_it_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=3, breaker_pause=30)
    hosts.ask_all(True, True, True)
    for _ in range(3):
        hosts.now += 30
        assert hosts.ask_all(True, False) == ["sent", "held"]


@pytest.mark.parametrize("error", [None, asyncio.CancelledError, AddressRefused])
def test_a_try_that_was_given_up_leaves_it_to_the_next(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException] | None
) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=1)
    hosts.ask(True)
    hosts.now += 30
    with (
        contextlib.suppress(asyncio.CancelledError, AddressRefused),
        hosts.breakers.admitted("a", 80, "http://a/"),
    ):
        if error is not None:
            raise error(*(("no", "http://a/") if error is AddressRefused else ()))
    assert hosts.ask(False) == "sent"
    assert hosts.states == {}


def test_what_was_under_way_when_it_opened_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=1)
    with hosts.breakers.admitted("a", 80, "http://a/") as late:
        hosts.ask(True)
        late.succeeded()
    assert hosts.states == {"a:80": "open"}
    with hosts.breakers.admitted("b", 80, "http://b/") as late:
        hosts.ask(True, "b")
        hosts.now += 10
        late.failed()
    assert [round(one.retry_after) for one in hosts.breakers.held()] == [20, 20]


def test_the_error_says_when_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=1, breaker_pause=30)
    hosts.ask(True)
    hosts.now += 18
    with (
        pytest.raises(CircuitOpen) as caught,
        hosts.breakers.admitted("a", 80, "http://ann:secret@a/b?key=secret"),
    ):
        pass
    assert caught.value.retry_after == 12
    assert str(caught.value) == (
        "http://a/b: not asked, because it kept failing; it is asked again in 12 s"
    )


def test_hosts_that_callers_choose_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=1)
    for number in range(breakers.REMEMBERED + 50):
        hosts.ask(True, f"{number}.example")
    assert len(hosts.states) == breakers.REMEMBERED
    assert hosts.ask(False, "0.example") == "sent"
    opened = sum(change[1] == "closed" for change in hosts.meter.changes)
    closed = sum(change[2] == "closed" for change in hosts.meter.changes)
    assert opened - closed == len(hosts.states)


def test_those_that_failed_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=2)
    monkeypatch.setattr(breakers, "REMEMBERED", 3)
    for name in ("a", "b", "c"):
        hosts.ask(True, name)
    assert hosts.ask(True, "a") == "sent"
    hosts.ask(True, "d")
    assert (hosts.ask(True, "a"), hosts.ask(True, "b"), hosts.ask(True, "b")) == (
        "held",
        "sent",
        "sent",
    )


def test_a_busy_host_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker_failures=100, breaker_rate=100)
    hosts.ask(True)
    for _ in range(10_000):
        hosts.ask(False)
        hosts.now += 0.002
    (breaker,) = hosts.breakers._hosts.values()
    assert len(breaker._slots) <= 11


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts(monkeypatch, breaker=False, breaker_failures=1)
    assert hosts.ask_all(True, True, True) == ["sent"] * 3


class Machine(RuleBasedStateMachine):
    """Any order of requests that begin and end, and of time that passes."""

    @initialize(failures=st.integers(1, 3), pause=st.integers(1, 20))
    def start(self, failures: int, pause: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.hosts = Hosts(self.patch, breaker_failures=failures, breaker_pause=pause)
        self.failures, self.pause = failures, pause
        self.running: list[tuple[Any, Admission]] = []
        self.waits: list[float] = []

    @rule()
    def begin(self) -> None:
        manager = self.hosts.breakers.admitted("a", 80, "http://a/")
        try:
            admission = manager.__enter__()
        except CircuitOpen as error:
            self.waits.append(error.retry_after)
            return
        assert admission.is_probe == bool(self.hosts.states)
        self.running.append((manager, admission))

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0), failed=st.sampled_from([True, False, None]))
    def finish(self, which: int, failed: bool | None) -> None:
        manager, admission = self.running.pop(which % len(self.running))
        end(admission, failed)
        manager.__exit__(None, None, None)

    @rule(seconds=st.floats(0.1, 60))
    def wait(self, seconds: float) -> None:
        self.hosts.now += seconds

    @invariant()
    def at_most_one_request_tries_a_host(self) -> None:
        probes = [one for _, one in self.running if one.is_probe]
        assert len(probes) <= 1
        assert bool(probes) == ("half-open" in self.hosts.states.values())

    @invariant()
    def nobody_is_told_to_wait_longer_than_the_pause(self) -> None:
        assert all(0 < one <= max(self.pause, 1) for one in self.waits)
        assert not self.waits or self.hosts.meter.changes

    @invariant()
    def the_meter_knows_what_is_held(self) -> None:
        changes = self.hosts.meter.changes
        assert [one[2] for one in changes[:-1]] == [one[1] for one in changes[1:]]
        held = changes[-1][2] if changes else "closed"
        assert self.hosts.states.get("a:80", "closed") == held

    def teardown(self) -> None:
        if not hasattr(self, "patch"):
            return
        # Whatever happened: when all has ended and time has passed, the host is asked again.
        for manager, _ in self.running:
            manager.__exit__(None, None, None)
        self.hosts.now += self.pause
        assert self.hosts.ask(False) == "sent"
        assert self.hosts.states == {}
        self.patch.undo()


TestMachine = Machine.TestCase
TestMachine.settings = examples(max_examples=60, stateful_step_count=30)


SOON: dict[str, Any] = {"breaker_failures": 2, "breaker_pause": 60}
"""Breakers that open soon, and close when a minute has gone."""


@pytest.fixture
def a_minute_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the clock forward."""
    genuine, ahead = clock.monotonic, 0

    def forward() -> None:
        nonlocal ahead
        ahead += 60
        monkeypatch.setattr(clock, "monotonic", lambda: genuine() + ahead)

    return forward


async def test_a_host_that_answers_503_is_held_and_comes_back(
    opened: Opened, wired: Wired, a_minute_later: Callable[[], None]
) -> None:
    wire, beside = await wired(FAILING, FAILING, FAILING, answer()), await wired()
    client = await opened(**SOON)
    for _ in range(2):
        with pytest.raises(HttpError):
            await client.request(wire.url)
    for _ in range(5):
        with pytest.raises(CircuitOpen):
            await client.request(wire.url)
    assert len(wire.received) == 2
    assert [one.host for one in client.held()] == [wire.host]
    assert (await client.request(beside.url)).text == "ok"
    a_minute_later()
    with pytest.raises(HttpError):
        await client.request(wire.url)
    with pytest.raises(CircuitOpen):
        await client.request(wire.url)
    a_minute_later()
    for _ in range(3):
        assert (await client.request(wire.url)).text == "ok"
    assert client.held() == []


FAILURES = {
    "reset": (reset, ResponseError),
    "silence": (hang, TimeoutExpired),
    "nonsense": (say(b"nonsense\r\n\r\n"), ResponseError),
    "500": (answer(b"", status="500 Oh"), HttpError),
}


@pytest.mark.parametrize(("reply", "error"), FAILURES.values(), ids=FAILURES)
async def test_it_opens_for(
    opened: Opened, wired: Wired, reply: Any, error: type[OutboundError]
) -> None:
    timeout = 0.3 if error is TimeoutExpired else 5
    client, wire = await opened(**SOON, timeout=timeout), await wired(reply)
    for _ in range(2):
        with pytest.raises(error):
            await client.request(wire.url, method="POST")
    with pytest.raises(CircuitOpen):
        await client.request(wire.url, method="POST")


@pytest.mark.parametrize("host", ["127.0.0.1", "nobody.invalid"])
async def test_it_opens_for_a_host_that_is_not_there(opened: Opened, host: str) -> None:
    client, port = await opened(**SOON), closed_port()
    for _ in range(2):
        with pytest.raises(ConnectError):
            await client.request(f"http://{host}:{port}/")
    with pytest.raises(CircuitOpen):
        await client.request(f"http://{host}:{port}/")


HEALTHY = {
    "404": answer(b"", status="404 No"),
    "429": answer(b"", status="429 Slow"),
    "too large": answer(b"x" * 2000),
    "badly encoded": answer(b"x", "Content-Encoding: gzip"),
    "a redirect to nowhere": answer(b"", "Location: ftp://a/", status="302 Found"),
}


@pytest.mark.parametrize("reply", HEALTHY.values(), ids=HEALTHY)
async def test_it_stays_closed_for_a_host_that_answers(
    opened: Opened, wired: Wired, reply: Any
) -> None:
    client, wire = await opened(**SOON, max_response=1000), await wired(reply)
    for _ in range(4):
        with pytest.raises((HttpError, ResponseError)):
            await client.request(wire.url, follow_redirects=True)
    assert len(wire.received) == 4


async def test_it_stays_closed_for_what_was_never_sent(opened: Opened) -> None:
    client = await opened(**SOON)
    for url, error in (("http://10.0.0.1/", AddressRefused), ("http://a:22/", RequestError)):
        for _ in range(4):
            with pytest.raises(error):
                await client.request(url)
    assert client.held() == []


async def test_a_hook_that_had_hardly_time_left_says_nothing_of_the_host(
    opened: Opened, wired: Wired
) -> None:
    client, wire = await opened(**SOON), await wired(hang)
    for _ in range(4):
        with pytest.raises(TimeoutExpired):
            await client.bound(clock.monotonic() + 0.05).request(wire.url)
    assert client.held() == []


async def test_a_caller_who_goes_away_while_it_is_tried_leaves_the_try_to_the_next(
    opened: Opened, wired: Wired, a_minute_later: Callable[[], None]
) -> None:
    client, wire = await opened(**SOON), await wired(FAILING, FAILING, hang, answer())
    for _ in range(2):
        with pytest.raises(HttpError):
            await client.request(wire.url)
    a_minute_later()
    probe = asyncio.create_task(client.request(wire.url, timeout=60))
    while len(wire.received) < 3:
        await asyncio.sleep(0.01)
    with pytest.raises(CircuitOpen):
        await client.request(wire.url)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert (await client.request(wire.url)).text == "ok"


async def test_each_host_of_a_redirect_has_its_own(opened: Opened, wired: Wired) -> None:
    failing = await wired(FAILING)
    leading = await wired(answer(b"", f"Location: {failing.url}", status="302 Found"))
    client = await opened(**SOON)
    for _ in range(2):
        with pytest.raises(HttpError):
            await client.request(leading.url, follow_redirects=True)
    with pytest.raises(CircuitOpen) as caught:
        await client.request(leading.url, follow_redirects=True)
    assert caught.value.url == failing.url
    assert (len(leading.received), len(failing.received)) == (3, 2)


async def test_a_destination_may_go_without(opened: Opened, wired: Wired) -> None:
    client, wire = await opened(**SOON), await wired(FAILING)
    http = client.declared([wire.url], breaker=False)
    for _ in range(4):
        with pytest.raises(HttpError):
            await http.request(wire.url)
    assert client.held() == []


async def test_metrics_call_a_host_as_the_conf_does(opened: Opened) -> None:
    meter, hosts = Noted(), PluginSection.model_validate({"hosts": "127.0.0.2, *.invalid"}).hosts
    client = await opened(
        **SOON, meter=meter, hosts={"paying": hosts}, allow="127.0.0.3:8443,10.0.0.0/8:443"
    )
    port = closed_port()
    client.declared([f"http://127.0.0.4:{port}/hooks"])
    for place in (
        f"127.0.0.2:{port}",
        f"a.b.invalid:{port}",
        "127.0.0.3:8443",
        f"127.0.0.4:{port}",
        f"127.0.0.5:{port}",
    ):
        for _ in range(2):
            with pytest.raises(ConnectError):
                await client.request(f"http://{place}/")
    named = ["127.0.0.2", "*.invalid", "127.0.0.3:8443", f"127.0.0.4:{port}", "other"]
    assert meter.changes == [(name, "closed", "open") for name in named]


async def test_it_is_logged_when_it_opens_and_when_it_closes(
    opened: Opened,
    wired: Wired,
    a_minute_later: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, wire = await opened(**SOON), await wired(FAILING, FAILING, answer())
    with caplog.at_level(logging.INFO, "tornado_cc.outbound"):
        for _ in range(2):
            with pytest.raises(HttpError):
                await client.request(f"{wire.url}?key=secret")
        a_minute_later()
        await client.request(wire.url)
    told = [(one.levelname, one.getMessage(), vars(one)["host"]) for one in caplog.records]
    assert told == [
        ("WARNING", "circuit opened", wire.host),
        ("INFO", "circuit closed", wire.host),
    ]
