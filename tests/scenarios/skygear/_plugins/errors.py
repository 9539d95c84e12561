"""Endpoints that go wrong, and what two exception handlers make of it."""

from werkzeug.exceptions import NotFound

from tornado_cc import Plugin
from tornado_cc.skygear import Request, SkygearException

plugin = Plugin("errors")


class Lost(Exception):
    """Mapped to a 404."""


class LostForGood(Lost):
    """Mapped with its parent."""


class Ignored(Exception):
    """Left as it is."""


class Answered(Exception):
    """Answered with a value."""


@plugin.exception_handler(Lost)
def lost(error: Lost) -> SkygearException:
    return SkygearException(f"no {error}", 110)


@plugin.exception_handler(Ignored)
def ignored(error: Ignored) -> None:
    return None


@plugin.exception_handler(Answered)
def answered(error: Answered) -> dict[str, str]:
    return {"instead": str(error)}


ERRORS: dict[str, Exception] = {
    "boom": Exception("boom"),
    "not_found": NotFound(),
    "message": SkygearException("msg"),
    "info": SkygearException("msg", 108, {"arguments": ["a"]}),
    "empty": SkygearException(""),
    "lost": Lost("such thing"),
    "lost_for_good": LostForGood("such thing"),
    "ignored": Ignored("nobody minds"),
    "answered": Answered("a value"),
}


@plugin.handler("error/")
def error(request: Request) -> None:
    raise ERRORS[request.path.removeprefix("/error/")]


@plugin.handler("error_later/")
async def error_later(request: Request) -> None:
    raise ERRORS[request.path.removeprefix("/error_later/")]


@plugin.handler("code")
def code(request: Request) -> None:
    raise SkygearException("msg", int(request.args["code"]))
