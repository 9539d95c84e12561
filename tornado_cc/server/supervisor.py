"""The parent of workers: binds once, runs and replaces them, and never loads a plugin itself.

Whatever happens, a worker that ends or a reload that is asked for, only wakes one loop, which
compares the workers there are with those there should be. So no two things can happen at once that
somebody would have to think of.
"""

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable, Sequence

from tornado_cc.core import clock
from tornado_cc.server import listening
from tornado_cc.server.admin import Admin
from tornado_cc.server.child import Child
from tornado_cc.server.listening import Sockets
from tornado_cc.server.notify import ServiceManager
from tornado_cc.server.overview import Overview
from tornado_cc.server.plan import Plan
from tornado_cc.server.worker import BEAT, LATE
from tornado_cc.settings import Mistakes

_log = logging.getLogger("tornado_cc.server")

_LOOK_EVERY = 0.5
# Seconds until a worker that does not serve yet is given up: what it imports may hang.
_START_SECONDS = 60.0
# A worker that has served for less has failed to start, and is not restarted at once.
_LASTING = 1.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_CHECK_SECONDS = 60.0
# What a worker ends with that cannot start: its conf or a plugin is wrong. sysexits.h
_HOPELESS = frozenset({70, 78})


class Supervisor:
    """Keeps workers running until it is told to stop. `start`, then `run`.

    Attributes:
        exit_code: of the process, when it has run: not 0 when the first worker could not start.
    """

    def __init__(self, read: Callable[[], Plan], sockets: Sockets, service: ServiceManager) -> None:
        """Prepare; nothing is started.

        Args:
            read: reads the conf, now and at each reload; raises `Mistakes`.
            sockets: what a service manager has opened.
            service: hears how far this is.
        """
        self._read = read
        self._plan = read()
        self._given = sockets
        self._service = service
        self._command = [sys.executable, *sys.orig_argv[1:]]
        self._public: Sequence[socket.socket] = ()
        self._children: list[Child] = []
        self._watching: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._overview = Overview(self._children)
        self._admin = Admin(self._overview.pages())
        self._looked_at = -math.inf
        self._failures = 0
        self._not_before = 0.0
        self._reload_wanted = False
        self._checking: asyncio.Task[str | None] | None = None
        self._plan_before: Plan | None = None
        self._has_told = False
        self._stops = 0
        self.exit_code = 0

    def start(self) -> None:
        """Listen. Raises `CannotListen`."""
        given, plan = self._given, self._plan
        admin = listening.bound_for_admin(plan.admin.bind) if given.admin is None else given.admin
        self._admin.start(admin)
        self._public = listening.bound(plan.server.bind) if given.public is None else given.public
        for one in admin:
            _log.info("listening", extra={"admin": listening.address(one)})

    async def run(self) -> None:
        """Keep workers running until a signal says stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)
        while not self._stops and not self.exit_code:
            try:
                await self._tend()
            except Exception:  # noqa: BLE001 - the workers serve on, and need somebody to look on
                _log.exception("workers could not be looked after")
            await self._wait(_LOOK_EVERY)
        await self._end()

    # What wakes the loop.

    def _on_stop(self) -> None:
        self._stops += 1
        self._changed.set()

    def _on_reload(self) -> None:
        self._reload_wanted = True
        self._changed.set()

    async def _wait(self, seconds: float) -> None:
        """Wait until something has happened, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    # What the loop does.

    async def _tend(self) -> None:
        """Compare what is with what should be, and do something about it."""
        self._kill_the_hopeless()
        self._look_after_reload()
        for _ in range(self._lacking()):
            await self._spawn()
        self._retire()
        if self._overview.has_served and not self._has_told:
            self._has_told = True
            self._service.ready()

    def _staying(self) -> list[Child]:
        return [one for one in self._children if not (one.is_outgoing or one.is_leaving)]

    def _outgoing(self) -> list[Child]:
        return [one for one in self._children if one.is_outgoing]

    def _lacking(self) -> int:
        """How many workers to start now: never more at once than are missing, or one."""
        if clock.monotonic() < self._not_before:
            return 0
        staying = self._staying()
        missing = self._plan.server.workers - len(staying)
        if not self._overview.has_served:
            # What is wrong with all of them is said once.
            return min(missing, 1 - len(staying))
        serving = sum(one.is_ready for one in staying) + len(self._outgoing())
        waiting = sum(not one.is_ready for one in staying)
        return min(missing, max(self._plan.server.workers - serving, 1) - waiting)

    def _retire(self) -> None:
        """Have those end whose successors are ready, the oldest first."""
        outgoing = self._outgoing()
        ready = sum(one.is_ready for one in self._staying())
        for one in outgoing[: max(ready + len(outgoing) - self._plan.server.workers, 0)]:
            _log.info(
                "worker retired", extra={"worker": one.pid, "reason": one.replace or "reload"}
            )
            one.stop()

    async def _spawn(self) -> None:
        child = Child(self._changed.set)
        try:
            await child.start(self._command, self._public)
        except OSError as error:
            _log.error("no worker can be started", extra={"cause": error.strerror})
            self._pause()
            return
        _log.info("worker started", extra={"worker": child.pid})
        self._children.append(child)
        task = asyncio.create_task(self._watch(child))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _watch(self, child: Child) -> None:
        """Wait for the end of a worker, and note it."""
        code = await child.ended()
        self._children.remove(child)
        self._overview.ended(child, expected=child.is_leaving and code == 0)
        self._changed.set()
        if child.is_leaving and code == 0:
            return
        facts = {"worker": child.pid, "exit": code}
        _log.error("worker ended", extra={**facts, **({"signal": -code} if code < 0 else {})})
        if child.is_leaving:
            return
        if child.up_at is None and code in _HOPELESS and not self._overview.has_served:
            self.exit_code = code
        if child.up_at is None or clock.monotonic() - child.up_at < _LASTING:
            self._pause()
        else:
            self._failures = 0
        if child.up_at is None and self._plan_before is not None:
            self._give_up_reload(self._plan_before)

    def _pause(self) -> None:
        """Start nothing for a while, which is longer each time."""
        seconds = min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
        self._failures += 1
        self._not_before = clock.monotonic() + seconds

    def _kill_the_hopeless(self) -> None:
        """End the workers that do not come up, do not turn or do not end."""
        now = clock.monotonic()
        if now - self._looked_at > BEAT:
            # We have not turned ourselves, and may have to read yet that the others have.
            for one in self._children:
                one.seen = now
        self._looked_at = now
        settings = self._plan.server
        for one in self._children:
            if one.leaving_at is not None:
                if now - one.leaving_at > settings.drain_timeout + LATE:
                    self._kill(one, "it did not end")
            elif one.up_at is None:
                if now - one.since > _START_SECONDS:
                    self._kill(one, f"it did not serve within {_START_SECONDS:g} s")
            elif now - one.seen > settings.max_stall + BEAT:
                self._kill(one, f"its event loop was blocked for {settings.max_stall:g} s")

    def _kill(self, child: Child, reason: str) -> None:
        facts = {"worker": child.pid, "reason": reason, **child.stall}
        _log.error("worker killed", extra=facts)
        child.kill()

    # Reload.

    def _look_after_reload(self) -> None:
        """Check, then replace one worker after another, then begin anew if that is wanted."""
        if self._checking is not None:
            if self._checking.done():
                problem, self._checking = self._checking.result(), None
                self._begin_reload(problem)
        elif self._plan_before is not None:
            if not any(one.is_old for one in self._children):
                self._plan_before = None
                _log.info("reloaded", extra={"workers": len(self._children)})
                self._service.ready()
        elif self._reload_wanted and self._overview.has_served:
            self._reload_wanted = False
            self._service.reloading()
            self._checking = asyncio.create_task(self._check())
            self._checking.add_done_callback(lambda _: self._changed.set())

    def _begin_reload(self, problem: str | None) -> None:
        """Have every worker replaced, unless something is wrong."""
        try:
            plan = self._read()
        except Mistakes as mistakes:
            problem = problem or str(mistakes)
        if problem is not None:
            _log.error("not reloaded, the workers go on", extra={"cause": problem})
            self._service.ready()
            return
        if (plan.server.bind, plan.admin.bind) != (self._plan.server.bind, self._plan.admin.bind):
            _log.warning("another bind is taken up by a restart only")
        self._plan_before, self._plan = self._plan, plan
        self._not_before = 0.0
        for one in self._children:
            one.is_old = True

    async def _check(self) -> str | None:
        """What is wrong with the conf or a plugin, as a process of its own finds it."""
        silent, heard = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, "--check", stdout=silent, stderr=heard
            )
        except OSError as error:
            return f"it cannot be checked: {error.strerror}"
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                _, said = await process.communicate()
        except TimeoutError:
            return f"the check took longer than {_CHECK_SECONDS:g} s"
        finally:
            if process.returncode is None:
                process.kill()
        return said.decode(errors="replace").strip() if process.returncode else None

    def _give_up_reload(self, before: Plan) -> None:
        """Keep the workers that are left of those before: a new one did not start."""
        self._plan, self._plan_before = before, None
        for one in self._children:
            one.is_old = False
        _log.error("reload given up, the workers go on")
        self._service.ready()

    # Stop.

    async def _end(self) -> None:
        """Let nobody in, have every worker drain, and end those that do not."""
        _log.info("draining")
        self._service.stopping()
        self._overview.is_draining = True
        if self._given.public is None:
            await listening.let_in_the_last(self._public)
        for one in self._public:
            one.close()
        if self._checking is not None:
            self._checking.cancel()
        for child in self._children:
            child.stop()
        until = clock.monotonic() + self._plan.server.drain_timeout + LATE
        while self._children and (left := until - clock.monotonic()) > 0:
            if self._stops > 1:
                for child in self._children:
                    child.hurry()
            await self._wait(left)
        for child in self._children:
            self._kill(child, "it did not end")
        await asyncio.gather(*self._watching)
        await self._admin.stop()
        _log.info("stopped")
