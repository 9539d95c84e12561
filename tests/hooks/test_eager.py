"""Tasks that begin at once: what they are used for again, and what they behave like in between."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from tornado_cc.hooks.eager import STANDBY, EagerTasks, unpaired

LEFT: ContextVar[str] = ContextVar("left", default="nothing")


@pytest.fixture
async def tasks() -> EagerTasks:
    """Some that wait for work."""
    made = EagerTasks()
    await end(made.begin(current()))
    await asyncio.sleep(0)
    return made


async def current() -> asyncio.Task[Any] | None:
    return asyncio.current_task()


async def end(begun: Any) -> Any:
    """What begun work comes to, in the end."""
    return unpaired(begun if isinstance(begun, tuple) else await begun)


def standing() -> int:
    """How many tasks wait for work."""
    return sum(one.get_name() == STANDBY for one in asyncio.all_tasks())


async def test_what_does_not_wait_is_done_at_once(tasks: EagerTasks) -> None:
    assert isinstance(tasks.begin(current()), tuple)


async def test_one_task_does_what_does_not_wait_again_and_again(tasks: EagerTasks) -> None:
    before = standing()
    used = {await end(tasks.begin(current())) for _ in range(50)}
    assert len(used) == 1
    assert used != {asyncio.current_task()}
    assert standing() == before


async def test_whoever_begins_something_is_the_current_task_again(tasks: EagerTasks) -> None:
    mine = asyncio.current_task()
    tasks.begin(current())
    assert asyncio.current_task() is mine


async def test_work_begun_by_work_has_a_task_of_its_own(tasks: EagerTasks) -> None:
    async def outer() -> bool:
        inner = await end(tasks.begin(current()))
        return inner is not asyncio.current_task()

    assert await end(tasks.begin(outer()))


async def test_what_it_raises_is_a_value(tasks: EagerTasks) -> None:
    async def fails() -> None:
        raise ValueError("oops")

    async def leaves() -> None:
        raise SystemExit(3)

    for work, kind in ((fails, ValueError), (leaves, SystemExit)):
        begun = tasks.begin(work())
        assert isinstance(begun, tuple)
        ok, error = begun
        assert not ok
        assert isinstance(error, kind)


async def test_what_waits_goes_on_in_the_task_that_it_began_in(tasks: EagerTasks) -> None:
    seen = []

    async def waits() -> str:
        LEFT.set("mine")
        for pause in (0, 0.001, 0):
            seen.append((asyncio.current_task(), LEFT.get()))
            await asyncio.sleep(pause)
        return "done"

    task = tasks.begin(waits())
    assert isinstance(task, asyncio.Task)
    assert await end(task) == "done"
    assert seen == [(task, "mine")] * 3
    assert task.get_name() != STANDBY
    assert LEFT.get() == "nothing"


async def test_what_waits_for_a_future_gets_its_value_or_its_error(tasks: EagerTasks) -> None:
    async def waits(future: "asyncio.Future[str]") -> str:
        try:
            return await future
        except ValueError as error:
            return str(error)

    good, bad, done = (asyncio.get_running_loop().create_future() for _ in range(3))
    begun = [tasks.begin(waits(one)) for one in (good, bad)]
    good.set_result("good")
    bad.set_exception(ValueError("bad"))
    done.set_result("done")
    assert [await end(one) for one in begun] == ["good", "bad"]
    assert tasks.begin(waits(done)) == (True, "done")


async def test_what_gives_way_to_others_goes_on_after_them(tasks: EagerTasks) -> None:
    order = []

    async def gives_way(name: str) -> None:
        order.append(name)
        await asyncio.sleep(0)
        order.append(name)

    await asyncio.gather(*(end(tasks.begin(gives_way(one))) for one in "ab"))
    assert order == ["a", "b", "a", "b"]


async def test_a_timeout_is_good_from_the_first_step(tasks: EagerTasks) -> None:
    async def waits() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            return "too late"
        return "never"

    async def does_not() -> str:
        async with asyncio.timeout(0.01):
            await done
        return "in time"

    assert await end(tasks.begin(waits())) == "too late"
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    assert tasks.begin(does_not()) == (True, "in time")


async def test_a_task_group_is_good_from_the_first_step(tasks: EagerTasks) -> None:
    async def fails() -> None:
        raise ValueError

    async def grouped() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                await asyncio.sleep(10)
        except BaseExceptionGroup as several:
            return type(several.exceptions[0]).__name__
        return "never"

    assert await end(tasks.begin(grouped())) == "ValueError"


async def test_what_is_cancelled_is_told_and_may_tidy_up(tasks: EagerTasks) -> None:
    told = []

    async def waits() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            told.append("cancelled")
            await asyncio.sleep(0)
            told.append("tidied")
            raise

    task = tasks.begin(waits())
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["cancelled", "tidied"]


def cancel_me() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def sleeps() -> None:
    cancel_me()
    await asyncio.sleep(10)


async def gives_way() -> None:
    cancel_me()
    await asyncio.sleep(0)


async def only_ends() -> None:
    cancel_me()


@pytest.mark.parametrize("work", [sleeps, gives_way, only_ends])
async def test_what_cancels_its_own_task_in_its_first_step_is_cancelled(
    tasks: EagerTasks, work: Callable[[], Awaitable[None]]
) -> None:
    """As asyncio has it: the next wait raises, and a task that does not wait is cancelled too."""
    plain = asyncio.ensure_future(work())
    with pytest.raises(asyncio.CancelledError):
        await plain
    task = tasks.begin(work())  # type: ignore[arg-type]
    assert isinstance(task, asyncio.Task)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await end(tasks.begin(current()))) is not task


async def test_a_cancellation_that_nobody_asked_for_is_a_value(tasks: EagerTasks) -> None:
    async def waits() -> None:
        other = asyncio.ensure_future(asyncio.sleep(10))
        other.cancel()
        await other

    ok, error = await tasks.begin(waits())  # type: ignore[misc]
    assert not ok
    assert isinstance(error, asyncio.CancelledError)


async def test_who_changes_the_context_changes_it_for_nobody_else(tasks: EagerTasks) -> None:
    async def leaves() -> None:
        LEFT.set("something")

    async def finds() -> str:
        return LEFT.get()

    before = standing()
    assert tasks.begin(leaves()) == (True, None)
    assert tasks.begin(finds()) == (True, "nothing")
    await asyncio.sleep(0)
    assert standing() == before


async def test_who_asks_to_be_told_of_the_end_is_told_when_the_work_has_ended(
    tasks: EagerTasks,
) -> None:
    told: list[asyncio.Task[Any]] = []

    async def asks() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(told.append)
        return "done"

    assert tasks.begin(asks()) == (True, "done")
    for _ in range(3):
        await asyncio.sleep(0)
    assert [one.result() for one in told] == [(True, "done")]


async def test_when_all_wait_for_something_the_next_begins_in_the_next_turn(
    tasks: EagerTasks,
) -> None:
    async def waits(number: int) -> int:
        await asyncio.sleep(0.001)
        return number

    begun = [tasks.begin(waits(number)) for number in range(100)]
    assert [await end(one) for one in begun] == list(range(100))


async def test_tasks_that_wait_for_work_end_when_they_are_cancelled(tasks: EagerTasks) -> None:
    waiting = [one for one in asyncio.all_tasks() if one.get_name() == STANDBY]
    for one in waiting:
        one.cancel()
    assert await end(tasks.begin(current())) not in waiting
    await asyncio.wait(waiting)
    assert all(one.cancelled() for one in waiting)


async def test_work_is_let_go_of_when_it_has_ended(tasks: EagerTasks) -> None:
    class Thing:
        pass

    async def holds(thing: Thing) -> None:
        pass

    thing = Thing()
    watched = weakref.ref(thing)
    tasks.begin(holds(thing))
    del thing
    assert watched() is None
