"""`Spark`, the object that GameSparks' scripts are written with, over the call of a plain hook."""

import asyncio
from typing import Any, NoReturn, cast

from tornado_cc.core import clock, json_value
from tornado_cc.core.call import CallbackCall, JobCall, ScheduleCall
from tornado_cc.core.errors import HookExit
from tornado_cc.dialects.gamesparks.spark_digest import SparkDigest
from tornado_cc.dialects.gamesparks.spark_http import SparkHttp
from tornado_cc.dialects.gamesparks.spark_json import GivenData, scripted
from tornado_cc.dialects.gamesparks.spark_player import SparkPlayer

ScriptCall = CallbackCall | JobCall | ScheduleCall
"""The calls that stand for what GameSparks ran scripts for."""

ERROR = "error"
"""The member of an answer that holds the script errors."""

_MILLISECONDS = 30_000
"""How long GameSparks waited for an answer, unless it was told otherwise."""
_GRACE = 0.5
"""Seconds past the deadline after which a script is ended. By then its caller has been told."""


class LongRunningScriptError(BaseException):
    """The script goes on after its deadline, and nothing that it does counts any more.

    No `Exception`, so that a loop which tries everything again comes to an end.
    """


class SparkLog:
    """The plugin's own logger. A text is logged as it is, anything else as JSON."""

    __slots__ = ("_log",)

    def __init__(self, log: Any) -> None:
        self._log = log

    def debug(self, message: object) -> None:
        """Log what matters to a developer only."""
        self._log.debug(_message(message))

    def info(self, message: object) -> None:
        """Log what has happened."""
        self._log.info(_message(message))

    def warn(self, message: object) -> None:
        """Log what may be a mistake."""
        self._log.warning(_message(message))

    def error(self, message: object) -> None:
        """Log what has failed."""
        self._log.error(_message(message))


class SparkScheduler:
    """What has modules run later; a module is a `@plugin.job` of that name."""

    __slots__ = ("_call",)

    def __init__(self, call: ScriptCall) -> None:
        self._call = call

    def inSeconds(
        self, shortCode: str, delaySeconds: float, data: object = None, key: str | None = None
    ) -> bool:
        """Have a module run once, with the same player, data its `Spark(call).getData()`.

        Args:
            key: it takes the place of what waits with the same key. Keys are the plugin's own.

        Returns:
            True: it is on the disk.

        Raises:
            ValueError: no plugin has such a job, or the data, the delay or the key are not allowed.
            StoreUnavailable: it cannot be kept.
        """
        self._call.later(shortCode, data, delay=delaySeconds, key=key)
        return True

    def cancel(self, key: str) -> None:
        """Have what waits with this key not run; nothing when nothing does."""
        self._call.cancel_later(key)


class Spark:
    """GameSparks' scripting object in a plain `def` hook: `spark = Spark(call)`.

    Names, arguments and results are those of GameSparks; docs/gamesparks.md has them all. None
    stands for null and undefined.

    Args:
        call: what `on_callback`, a job or a schedule is given.

    Raises:
        RuntimeError: in an async hook, or one on the event loop: it would stop everybody.
        TypeError: another hook's call.
    """

    __slots__ = ("_given", "_unsent")

    def __init__(self, call: ScriptCall) -> None:
        if not isinstance(call, ScriptCall):
            raise TypeError(
                "Spark is for callbacks, jobs and schedules; other hooks have what they need in"
                " their call"
            )
        if _is_async(call):
            raise RuntimeError(
                "Spark waits, and would stop the event loop here: declare the hook with def instead"
                " of async def, and without @inline"
            )
        self._given = call
        # Nobody is answered after a job, but a script may well use what it has set itself.
        self._unsent: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Spark of {self._given!r}>"

    def getData(self) -> Any:
        """What the script was given, read-only: `getData().attr1`, `getData()["hub.challenge"]`."""
        call = self._call
        if isinstance(call, CallbackCall):
            return scripted(call.data, GivenData)
        params = call.params if isinstance(call, JobCall) else None
        return scripted({} if params is None else params, GivenData)

    def setScriptData(self, name: str, value: object) -> None:
        """Set a member of the answer, JSON. Raises `ValueError` for anything else."""
        self._script_data[_name(name)] = json_value.checked(value)

    def getScriptData(self, name: str) -> Any:
        """A copy of what was set under a name; None for nothing."""
        return scripted(self._script_data.get(name))

    def removeScriptData(self, name: str) -> None:
        """Take a member of the answer away."""
        self._script_data.pop(name, None)

    def removeAllScriptData(self) -> None:
        """Take all of them away; script errors stay."""
        errors = self._errors
        self._script_data.clear()
        self._set_errors(errors)

    def setScriptError(self, name: str, value: object) -> None:
        """Set a member of the answer's `error`, JSON; the status stays 200."""
        self._set_errors({**self._errors, _name(name): json_value.checked(value)})

    def getScriptError(self, name: str) -> Any:
        """A copy of the error under a name; None for nothing."""
        return scripted(self._errors.get(name))

    def removeScriptError(self, name: str) -> None:
        """Take an error away."""
        self._set_errors({key: value for key, value in self._errors.items() if key != name})

    def removeAllScriptErrors(self) -> None:
        """Take all errors away."""
        self._set_errors({})

    def hasScriptErrors(self) -> bool:
        """Whether any error is set, by this script or by one before it."""
        return bool(self._errors)

    def getPlayer(self) -> SparkPlayer | None:
        """The player in the URL, or of who scheduled the module; None when nobody is known."""
        player = self._call.player
        return None if player is None else SparkPlayer(player)

    def loadPlayer(self, playerId: str) -> SparkPlayer | None:
        """Any player, None when unknown. Raises `StoreUnavailable`."""
        # In a plain hook it blocks, and returns no awaitable.
        players = cast(Any, self._call.store.players)
        player = players.load(playerId, save=True)
        return None if player is None else SparkPlayer(player)

    def getHttp(self, url: str, timeoutMillis: float = _MILLISECONDS) -> SparkHttp:
        """A request to be put together; it never takes longer than the script has left."""
        return SparkHttp(self._call.http, url, timeoutMillis / 1000)

    def getLog(self) -> SparkLog:
        """What writes to the log."""
        return SparkLog(self._call.log)

    def getDigester(self) -> SparkDigest:
        """What computes digests."""
        return SparkDigest()

    def getScheduler(self) -> SparkScheduler:
        """What has modules run later."""
        return SparkScheduler(self._call)

    def getRemainingMilliseconds(self) -> int:
        """How long the script may still take, until the deadline of its hook."""
        return int(self._call.remaining * 1000)

    def sendRequest(self, request: object) -> NoReturn:
        """Fails: nobody here answers the requests of GameSparks' clients (row 84)."""
        raise NotImplementedError(
            "Spark.sendRequest is not there: this server answers no requests of GameSparks'"
            " clients; call what the request would have run"
        )

    def exit(self) -> NoReturn:
        """End the script; what it has set so far is the answer, and what it kept is saved."""
        raise HookExit

    @property
    def _call(self) -> ScriptCall:
        """The call, as long as the script has time. Raises `LongRunningScriptError`."""
        if clock.monotonic() > self._given.until + _GRACE:
            raise LongRunningScriptError("the script goes on after its deadline")
        return self._given

    @property
    def _script_data(self) -> dict[str, Any]:
        call = self._call
        return call.script_data if isinstance(call, CallbackCall) else self._unsent

    @property
    def _errors(self) -> dict[str, Any]:
        found = self._script_data.get(ERROR)
        return found if isinstance(found, dict) else {}

    def _set_errors(self, errors: dict[str, Any]) -> None:
        """A member of that name which is no object was set as script data, and stays."""
        if errors:
            self._script_data[ERROR] = errors
        elif isinstance(self._script_data.get(ERROR), dict):
            del self._script_data[ERROR]


def _is_async(call: ScriptCall) -> bool:
    """Whether this runs on the event loop, or the hook does whose thread this is."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call.awaits
    return True


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a name is a text, not a {type(name).__name__}")
    return name


def _message(message: object) -> str:
    """A line for the log. It never fails: a script may log anything."""
    if isinstance(message, str):
        return message
    try:
        return json_value.dump(json_value.checked(message)).decode()
    except json_value.NotJson:
        return repr(message)
