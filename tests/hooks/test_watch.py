"""A hook that blocks the event loop is named: plugin, file and line."""

import pytest

from tests.serving import PARSE, Serve

BLOCKS = """
    import asyncio, socket, time
    from tornado_cc import Plugin, inline
    plugin = Plugin("blocks")

    @plugin.cloud_function("sleeps")
    async def sleeps(call):
        await asyncio.sleep(0)
        time.sleep(0.6)  # here

    @plugin.cloud_function("inline")
    @inline
    def blocks_inline(call):
        time.sleep(0.6)  # there

    @plugin.cloud_function("inTask")
    async def in_task(call):
        async def helper():
            one, other = socket.socketpair()
            one.settimeout(0.6)
            try:
                one.makefile("rb").read(1)  # everywhere
            except TimeoutError:
                one.close()
                other.close()
        await asyncio.create_task(helper())

    @plugin.cloud_function("waits")
    async def waits(call):
        await asyncio.sleep(0.6)

    @plugin.cloud_function("inThread")
    def in_thread(call):
        time.sleep(0.6)
"""


@pytest.mark.parametrize(
    ("name", "mark"), [("sleeps", "# here"), ("inline", "# there"), ("inTask", "# everywhere")]
)
async def test_the_plugin_the_file_and_the_line_are_logged_once(
    serve: Serve, name: str, mark: str
) -> None:
    served = await serve(PARSE, {"blocks": BLOCKS})
    assert await served.webhook(f"/functions/{name}", {}) == {"success": None}
    (record,) = served.logged("the event loop is blocked")
    facts = vars(record)
    assert facts["plugin"] == "blocks"
    assert facts["file"].endswith("blocks.py")
    assert mark in BLOCKS.splitlines()[facts["line"] - 1]


async def test_hooks_that_wait_or_work_in_threads_block_nobody(serve: Serve) -> None:
    served = await serve(PARSE, {"blocks": BLOCKS})
    for name in ("waits", "inThread"):
        assert await served.webhook(f"/functions/{name}", {}) == {"success": None}
    assert served.logged("the event loop is blocked") == []
