"""Store, player and configuration in a plain `def` hook: the same names, without `await`."""

import asyncio
from typing import Any

from tests.serving import PARSE, Serve, Served

THREADS = 16
CONF = f"{PARSE}\n[hooks]\nthreads = {THREADS}\n"
HOOKS = """
    import threading
    import time
    from tornado_cc import ObjectNotFound, Plugin, inline

    plugin = Plugin("state")
    all_here = threading.Barrier(16)
    lock = threading.Lock()
    running, most, ended = 0, 0, []

    @plugin.cloud_function("objects")
    def objects(call):
        notes = call.store.objects("Note")
        made = notes.create({"text": "hi"})
        notes.update(made["objectId"], {"n": {"__op": "Increment", "amount": 2}})
        found = notes.first({"text": "hi"}), notes.count(), notes.find(keys="n")[0]["n"]
        notes.delete(made["objectId"])
        try:
            notes.get(made["objectId"])
        except ObjectNotFound as error:
            return [found[0]["n"], found[1], found[2], error.code]

    @plugin.cloud_function("users")
    def users(call):
        user = call.store.users.add("zoe", "a long password", user_id="u1")
        session = call.store.users.log_in("zoe", "a long password")
        call.store.users.log_out(session.token)
        return [user.id, call.store.users.get("u1").user_name, session.user_id]

    @plugin.cloud_function("config")
    def config(call):
        call.config.save({"hidden": 1, "shown": 2}, {"hidden": True})
        return [call.config.get(), call.config.get(use_master_key=True)]

    @plugin.cloud_function("player")
    def player(call):
        call.player.private_data["assigned"] = False
        call.player.private_data = {"assigned": True}
        call.player.persist()
        other = call.store.players.load(call.player.id)
        other.script_data["other"] = 1
        other.persist()
        created = call.store.players.create("p2", display_name="Two")
        return [repr(call.player), other.private_data, created.display_name]

    @plugin.cloud_function("kept")
    def kept(call):
        return [call.player.private_data, call.player.script_data]

    @plugin.cloud_function("on_the_loop")
    @inline
    def on_the_loop(call):
        call.store.objects("Note").create({})

    @plugin.cloud_function("config_on_the_loop")
    @inline
    def config_on_the_loop(call):
        call.config.get()

    @plugin.cloud_function("awaited")
    def awaited(call):
        async def later():
            return (await call.store.objects("Note").create({"text": "later"}))["text"]
        return later()

    @plugin.cloud_function("nested")
    def nested(call):
        all_here.wait(10)
        made = call.store.objects("Nested").create({"number": call.params["number"]})
        all_here.wait(10)
        return made["checked"]

    @plugin.before_save("Nested")
    def check_nested(call):
        time.sleep(0.01)
        call.object["checked"] = call.store.objects("Deeper").create({})["by"]

    @plugin.before_save("Deeper")
    def check_deeper(call):
        call.object["by"] = threading.current_thread() is not threading.main_thread()

    @plugin.cloud_function("many")
    async def many(call):
        for number in range(12):
            await call.store.objects("Many").create({})

    @plugin.after_save("Many")
    def count(call):
        global running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    @plugin.cloud_function("most")
    async def at_most(call):
        return most

    @plugin.cloud_function("late")
    def late(call):
        call.player.private_data["late"] = True
        time.sleep(0.4)
        for write in (call.player.persist, lambda: call.store.objects("Late").create({})):
            try:
                write()
                ended.append("written")
            except TimeoutError as error:
                ended.append(str(error))

    @plugin.cloud_function("ended")
    async def how_it_ended(call):
        return [ended, await call.store.objects("Late").count(), call.player.private_data]
"""


async def ask(served: Served, name: str, **params: Any) -> Any:
    """What a function answers a known player."""
    body = {"params": params, "user": {"objectId": "p1"}}
    answer = await served.webhook(f"/functions/{name}", body)
    return answer["success"]


async def state(serve: Serve, conf: str = CONF) -> Served:
    served = await serve(conf, {"state": HOOKS})
    await served.know("p1")
    return served


async def test_objects_are_written_and_read_without_await(serve: Serve) -> None:
    served = await state(serve)
    assert await ask(served, "objects") == [2, 1, 2, 101]
    assert served.fired == ["cloud_function objects (state)"]


async def test_users_are_added_and_log_in_without_await(serve: Serve) -> None:
    assert await ask(await state(serve), "users") == ["u1", "zoe", "u1"]


async def test_the_configuration_is_saved_and_read_without_await(serve: Serve) -> None:
    served = await state(serve)
    assert await ask(served, "config") == [{"shown": 2}, {"hidden": 1, "shown": 2}]


async def test_a_player_is_changed_and_saved_without_await(serve: Serve) -> None:
    served = await state(serve)
    assert await ask(served, "player") == ["<Player p1>", {"assigned": True}, "Two"]
    assert await ask(served, "kept") == [{"assigned": True}, {"other": 1}]
    assert served.fired == ["cloud_function player (state)", "cloud_function kept (state)"]


async def test_what_a_plain_hook_returns_to_be_awaited_awaits_the_store(serve: Serve) -> None:
    assert await ask(await state(serve), "awaited") == "later"


async def test_an_inline_hook_is_told_what_to_do_instead_of_blocking(serve: Serve) -> None:
    served = await state(serve)
    for name in ("on_the_loop", "config_on_the_loop"):
        answer = await served.webhook(f"/functions/{name}", {})
        assert answer["error"].startswith("internal error (id ")
    errors = [record.exc_info[1] for record in served.logged("hook failed") if record.exc_info]
    assert [type(error) for error in errors] == [RuntimeError, RuntimeError]
    assert all("make the hook async, or leave out @inline" in str(error) for error in errors)
    assert await served.store.objects.count("Note") == 0


async def test_plain_hooks_whose_writes_fire_plain_hooks_never_wait_for_their_own_threads(
    serve: Serve,
) -> None:
    served = await state(serve)
    answers = await asyncio.gather(*(ask(served, "nested", number=n) for n in range(THREADS)))
    assert answers == [True] * THREADS
    stored = await served.store.objects.find("Nested", order="number")
    assert [one["number"] for one in stored] == list(range(THREADS))
    assert await served.store.objects.count("Deeper") == THREADS
    assert sorted(served.fired) == sorted(
        [
            "before_save Deeper (state)",
            "before_save Nested (state)",
            "cloud_function nested (state)",
        ]
        * THREADS
    )


async def test_after_hooks_of_a_hooks_own_writes_keep_to_the_number_of_threads(
    serve: Serve,
) -> None:
    served = await state(serve, f"{PARSE}\n[hooks]\nthreads = 2\n")
    await ask(served, "many")
    fired = await served.until_fired(13)
    assert sorted(fired) == ["after_save Many (state)"] * 12 + ["cloud_function many (state)"]
    assert await ask(served, "most") == 2


async def test_a_thread_that_outlived_its_hook_writes_nothing(serve: Serve) -> None:
    served = await state(serve, f"{PARSE}\n[hooks]\ndeadline = 0.2\n")
    answer = await served.webhook("/functions/late", {"user": {"objectId": "p1"}})
    assert "error" in answer
    async with asyncio.timeout(5):
        while len((found := await ask(served, "ended"))[0]) < 2:
            await asyncio.sleep(0.05)
    assert found == [["the deadline of the hook has passed"] * 2, 0, {}]
