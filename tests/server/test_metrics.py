"""What the metrics say of requests, hooks, stalls and deliveries, and what they never say."""

import asyncio

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families

from tests.server.scraping import parsed, scrape
from tests.serving import KEY, PARSE, Serve
from tornado_cc.core.meter import Meter
from tornado_cc.server.metrics import Metrics
from tornado_cc.store.deliveries import Depth

CONF = """
[dialect:parse]
webhook_key = test-key
[dialect:gamesparks]
api_key = CANARY-api-key
server_secret = CANARY-server-secret
[server]
max_body = 10 B
"""
BUSY = """
    import asyncio, time
    from tornado_cc import Plugin, Refusal
    plugin = Plugin("busy")

    @plugin.cloud_function("answers")
    async def answers(call):
        await asyncio.sleep(0.02)
        return 1

    @plugin.cloud_function("refuses")
    def refuses(call):
        raise Refusal("CANARY-no")

    @plugin.cloud_function("fails")
    async def fails(call):
        raise RuntimeError("CANARY-error")

    @plugin.cloud_function("hangs")
    async def hangs(call):
        await asyncio.sleep(60)

    @plugin.cloud_function("blocks")
    async def blocks(call):
        time.sleep(0.6)
"""
FUNCTION = "/webhooks/functions/{name}"


async def test_a_request_is_counted_and_timed_under_the_template_of_its_route(
    serve: Serve,
) -> None:
    served = await serve(PARSE, {"busy": BUSY})
    for name in ("answers", "answers", "nobodys"):
        await served.webhook(f"/functions/{name}", {})
    assert (await served.request("GET", "/nowhere")).status == 404
    figures = await scrape(served)
    labels = {"dialect": "parse", "route": FUNCTION}
    assert figures.value("requests_total", method="POST", status="200", **labels) == 3
    assert figures.value("request_duration_seconds_count", **labels) == 3
    total = figures.value("request_duration_seconds_sum", **labels)
    assert total is not None
    assert 0.04 <= total < 10
    nowhere = {"dialect": "server", "route": "unmatched", "method": "GET", "status": "404"}
    assert figures.value("requests_total", **nowhere) == 1


async def test_a_request_that_is_refused_before_it_has_ended_is_counted(serve: Serve) -> None:
    served = await serve(CONF)
    assert (await served.request("POST", "/callback/x/y", {}, b"x" * 11)).status == 413
    (route,) = (await scrape(served)).labels("route")
    labels = {"dialect": "gamesparks", "method": "POST", "status": "413", "route": route}
    assert (await scrape(served)).value("requests_total", **labels) == 1


async def test_no_caller_can_make_a_label(serve: Serve) -> None:
    served = await serve(CONF, {"busy": BUSY})
    secret = "/callback/CANARY-api-key/CANARY-server-secret/CANARY-player"
    for method in ("GET", "POST", "CANARY", "get", "X" * 200):
        for path in (secret, "/CANARY/a?CANARY=b", "/webhooks/functions/CANARY"):
            await served.request(method, path, {"CANARY": "CANARY", "Referer": "CANARY"})
    await served.webhook("/functions/refuses", {"params": {"CANARY": "CANARY"}})
    await served.webhook("/functions/fails", {})
    figures = await scrape(served)
    assert "CANARY" not in figures.text
    assert figures.labels("method") == {"GET", "POST", "OTHER"}
    assert figures.labels("dialect") == {"parse", "gamesparks", "server"}
    assert FUNCTION in figures.labels("route")
    # A method that HTTP does not know never becomes a request on a strict wire.
    assert len(figures.labels("route") - {"unread"}) == 3


async def test_a_hooks_time_is_under_its_plugin_and_under_how_it_ended(serve: Serve) -> None:
    served = await serve(f"{PARSE}\n[hooks]\ndeadline = 0.2\n", {"busy": BUSY})
    for name in ("answers", "answers", "refuses", "fails", "hangs"):
        await served.webhook(f"/functions/{name}", {})
    figures = await scrape(served)

    def of(how: str, what: str = "count") -> float | None:
        labels = {"plugin": "busy", "hook": "cloud_function", "how": how}
        return figures.value(f"hook_duration_seconds_{what}", **labels)

    assert [of(how) for how in ("ok", "refused", "failed", "timeout")] == [2, 1, 1, 1]
    assert (of("ok", "sum") or 0) >= 0.04
    assert (of("timeout", "sum") or 0) >= 0.2


async def test_a_blocked_loop_is_counted_for_its_plugin(serve: Serve) -> None:
    served = await serve(PARSE, {"busy": BUSY})
    figures = await scrape(served)
    assert figures.value("loop_stalls_total", plugin="busy") == 0
    assert figures.value("loop_stalls_total", plugin="none") is not None
    await served.webhook("/functions/blocks", {})
    assert (await scrape(served)).value("loop_stalls_total", plugin="busy") == 1


async def test_the_queue_of_a_server_is_shown(serve: Serve) -> None:
    figures = await scrape(await serve())
    for state in ("waiting", "ready", "running"):
        assert figures.value("queue_depth", state=state) == 0
    assert figures.value("queue_oldest_age_seconds") == 0
    assert figures.value("dead_letters") == 0


async def test_two_servers_of_one_process_count_for_themselves(serve: Serve) -> None:
    one, other = await serve(), await serve()
    await one.request("POST", "/webhooks/functions/x", KEY, b"{}")
    assert "POST" in (await scrape(one)).labels("method")
    assert "POST" not in (await scrape(other)).labels("method")


async def test_the_process_is_measured_too(serve: Serve) -> None:
    served = await serve()
    names = {family.name for family in (await scrape(served)).families}
    assert {"process_cpu_seconds", "process_open_fds", "python_info"} <= names
    assert "python_gc_collections" in names
    assert not [name for name in names if name.endswith("_created")]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html, */*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0, text/plain; q=0.5", "1.0.0"),
        ("application/openmetrics-text; version=x", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain; version=\xe9.0", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
async def test_the_format_suits_whoever_asks(serve: Serve, accept: str, kind: str) -> None:
    served = await serve()
    headers = {"Accept": accept}
    answer = await served.request("GET", "/metrics", headers, port=served.admin_port)
    assert answer.status == 200
    assert kind in (answer.header("Content-Type") or "")
    text = answer.body.decode()
    if "openmetrics" not in (answer.header("Content-Type") or ""):
        assert "tornado_cc_requests" in {family.name for family in parsed(text).families}
        return
    opened = open_families(text)  # type: ignore[no-untyped-call]
    assert "tornado_cc_requests" in {family.name for family in opened}


def test_deliveries_are_counted_by_how_an_attempt_ended_and_begin_at_nothing() -> None:
    metrics = Metrics(["mailer"])
    meter: Meter = metrics
    meter.delivery_ended("job", "mailer", "done")
    meter.delivery_ended("job", "mailer", "retried")
    meter.delivery_ended("job", "mailer", "retried")
    figures = parsed(metrics.page("", None).body.decode())
    labels = {"kind": "job", "plugin": "mailer"}
    counted = [
        figures.value("delivery_attempts_total", how=how, **labels)
        for how in ("done", "retried", "dead")
    ]
    assert counted == [1, 2, 0]


def test_what_the_queue_holds_is_shown_and_left_out_where_it_is_not_known() -> None:
    metrics = Metrics([])
    depth = Depth({"ready": 3, "dead": 2, "done": 70}, 12.5)
    figures = parsed(metrics.page("", depth).body.decode())
    assert figures.labels("state") == {"waiting", "ready", "running"}
    assert figures.value("queue_depth", state="ready") == 3
    assert figures.value("queue_depth", state="running") == 0
    assert figures.value("queue_oldest_age_seconds") == 12.5
    assert figures.value("dead_letters") == 2
    assert "queue" not in metrics.page("", None).body.decode()
    assert "dead_letters" not in metrics.page("", None).body.decode()


async def test_counting_from_threads_loses_nothing() -> None:
    metrics = Metrics([])

    def stall() -> None:
        for _ in range(2000):
            metrics.loop_stalled("busy")

    await asyncio.gather(*(asyncio.to_thread(stall) for _ in range(4)))
    figures = parsed(metrics.page("", None).body.decode())
    assert figures.value("loop_stalls_total", plugin="busy") == 8000
