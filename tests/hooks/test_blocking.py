"""What a plain `def` hook has of the services: the same names, without `await`."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.hooks import making
from tests.hooks.making import implementation
from tests.serving import Serve
from tornado_cc.core import clock
from tornado_cc.core.errors import Failure
from tornado_cc.hooks import App, Fired, Runner, inline, install
from tornado_cc.hooks.blocking import Blocking
from tornado_cc.outbound import (
    ConnectError,
    HttpClient,
    HttpError,
    OutboundError,
    RequestError,
    TimeoutExpired,
)
from tornado_cc.settings import HooksSettings, OutboundSettings, Settings


async def _greet(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.query.get('name', '')}".strip())


async def _fail(request: web.Request) -> web.Response:
    return web.Response(status=500, text="broken")


async def _slow(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A third party that greets, fails and is slow."""
    app = web.Application()
    app.add_routes([web.get("/", _greet), web.get("/fail", _fail), web.get("/slow", _slow)])
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient(OutboundSettings(), loopback=True)
    await client.open()
    yield client
    await client.close()


@pytest.fixture
async def runner(client: HttpClient, tmp_path: Path) -> AsyncIterator[Runner]:
    install(asyncio.get_running_loop())
    made = making.runner(tmp_path, HooksSettings(deadline=1, threads=4), client)
    yield made
    made.close()


async def fire(
    runner: Runner, function: Callable[..., Any], *, deadline: float | None = None
) -> Fired:
    one = implementation("tested", "A", function=function)
    return await runner.run(one, App("tested", Settings(), one.log, deadline=deadline))


async def test_a_plain_hook_gets_the_response_without_await(runner: Runner, url: str) -> None:
    def hook(call: Any) -> str:
        text: str = call.http.request(url, params={"name": "Zoë"}).text
        return text

    assert (await fire(runner, hook)).value == "hello Zoë"


async def test_an_async_hook_awaits_it(runner: Runner, url: str) -> None:
    async def hook(call: App) -> str:
        text: str = (await call.http.request(url)).text
        return text

    assert (await fire(runner, hook)).value == "hello"


async def test_on_the_loop_it_says_what_to_do_instead_of_blocking(runner: Runner, url: str) -> None:
    @inline
    def hook(call: Any) -> None:
        call.http.request(url)

    fired = await fire(runner, hook)
    assert isinstance(fired.refusal, Failure)
    assert isinstance(fired.refusal.error, RuntimeError)
    assert "make the hook async, or leave out @inline" in str(fired.refusal.error)


async def test_failures_have_the_types_an_async_hook_sees(runner: Runner, url: str) -> None:
    def hook(call: Any) -> dict[str, str]:
        attempts: dict[str, tuple[str, dict[str, Any]]] = {
            "status": (f"{url}/fail", {}),
            "limit": (f"{url}/slow", {"timeout": 0.05}),
            "address": ("ftp://example.org", {}),
            "option": (url, {"headers": {"a": "b\n"}}),
            "name": ("http://nobody.invalid/", {}),
        }
        seen = {}
        for name, (address, options) in attempts.items():
            with pytest.raises(OutboundError) as caught:
                call.http.request(address, **options)
            seen[name] = caught.type.__name__
        return seen

    assert (await fire(runner, hook)).value == {
        "status": HttpError.__name__,
        "limit": TimeoutExpired.__name__,
        "address": RequestError.__name__,
        "option": RequestError.__name__,
        "name": ConnectError.__name__,
    }


async def test_the_response_comes_with_the_error(runner: Runner, url: str) -> None:
    def hook(call: Any) -> str:
        with pytest.raises(HttpError) as caught:
            call.http.request(f"{url}/fail")
        return caught.value.response.text

    assert (await fire(runner, hook)).value == "broken"


async def test_the_hooks_deadline_ends_the_request_and_the_thread(runner: Runner, url: str) -> None:
    ended: list[BaseException] = []

    def hook(call: Any) -> None:
        try:
            call.http.request(f"{url}/slow", timeout=30)
        except BaseException as error:
            ended.append(error)
            # Whoever returns at the very deadline may still be in time.
            time.sleep(0.2)

    start = time.monotonic()
    fired = await fire(runner, hook, deadline=0.2)
    assert time.monotonic() - start < 1
    assert isinstance(fired.refusal, Failure)
    assert fired.refusal.timed_out
    async with asyncio.timeout(5):
        while not ended:
            await asyncio.sleep(0.01)
    assert [type(error) for error in ended] == [TimeoutExpired]


async def test_a_thread_that_outlived_its_hook_sends_nothing(runner: Runner, url: str) -> None:
    ended: list[BaseException] = []

    def hook(call: Any) -> None:
        time.sleep(0.3)
        try:
            call.http.request(url)
        except BaseException as error:
            ended.append(error)

    await fire(runner, hook, deadline=0.1)
    async with asyncio.timeout(5):
        while not ended:
            await asyncio.sleep(0.01)
    assert [type(error) for error in ended] == [TimeoutExpired]


async def test_two_threads_may_ask_at_once(runner: Runner, url: str) -> None:
    meeting = threading.Barrier(2, timeout=1)

    def hook(call: Any) -> str:
        meeting.wait()
        text: str = call.http.request(url).text
        meeting.wait()
        return text

    fired = await asyncio.gather(fire(runner, hook), fire(runner, hook))
    assert [one.value for one in fired] == ["hello", "hello"]


async def test_a_thread_of_the_plugins_own_may_ask(runner: Runner, url: str) -> None:
    def hook(call: Any) -> list[str]:
        texts: list[str] = []
        other = threading.Thread(target=lambda: texts.append(call.http.request(url).text))
        other.start()
        other.join()
        return texts

    assert (await fire(runner, hook)).value == ["hello"]


async def test_what_is_no_coroutine_is_passed_on(client: HttpClient) -> None:
    until = clock.monotonic() + 1
    blocking = Blocking(client.bound(until), asyncio.get_running_loop(), until)
    assert hasattr(blocking, "request")
    assert not hasattr(blocking, "nonsense")


def test_a_server_that_is_gone_is_an_error_and_no_stray_coroutine() -> None:
    loop = asyncio.new_event_loop()
    client = HttpClient(OutboundSettings(), loopback=True)
    loop.close()
    until = clock.monotonic() + 1
    with pytest.raises(RuntimeError, match="closed"):
        Blocking(client.bound(until), loop, until).request("http://127.0.0.1:8080/")


STARTING = """
    from tornado_cc import Plugin, Settings

    class Mine(Settings):
        url: str

    plugin = Plugin("starting", settings=Mine)
    heard = []

    @plugin.on_start
    def start(app):
        heard.append(app.http.request(app.settings.url).text)

    @plugin.on_start
    async def start_async(app):
        heard.append((await app.http.request(app.settings.url)).text)

    @plugin.cloud_function("heard")
    def what_was_heard(call):
        return heard
"""


async def test_a_plugin_may_ask_when_the_server_starts(serve: Serve, url: str) -> None:
    conf = f"[dialect:parse]\nwebhook_key = test-key\n[plugin:starting]\nurl = {url}\n"
    served = await serve(conf, {"starting": STARTING})
    assert await served.webhook("/functions/heard", {}) == {"success": ["hello", "hello"]}
