"""Exceptions: which handler maps them, and what of them reaches a caller."""

import pytest

from tests.dialects.skygear.served import SKYGEAR, plugin
from tests.serving import Serve
from tornado_cc.skygear import SkygearException

PLUGIN = plugin("""
class Parent(Exception): pass
class Child(Parent): pass
class Grandchild(Child): pass
class Unmapped(Exception): pass
class Reraised(Exception): pass
class Raising(Exception): pass
class Silent(Child): pass
class Strange(Exception):
    def __str__(self):
        raise RuntimeError("not even text")

def declare(kind, handler):
    plugin.exception_handler(kind)(handler)

declare(Parent, lambda error: {"by": "parent"})
declare(Child, lambda error: {"by": "child"})
declare(Silent, lambda error: None)
declare(Reraised, lambda error: KeyError("instead"))
declare(SkygearException, lambda error: {"code": error.code})

@plugin.exception_handler(Raising)
def raising(error):
    raise ValueError("the handler failed")

@plugin.exception_handler(LookupError)
async def looked_up(error):
    await asyncio.sleep(0)
    if str(error) == "none":
        return None
    return SkygearException("later", 110) if str(error) == "other" else ["async", str(error)]

KINDS = {kind.__name__: kind for kind in (
    Parent, Child, Grandchild, Unmapped, Reraised, Raising, Silent, Strange, LookupError, SystemExit
)}

def chosen(request):
    name, _, text = request.args["kind"].partition(":")
    if name == "SkygearException":
        return SkygearException(text, 108)
    return KINDS[name](text)

@plugin.handler("plain")
def plain(request):
    raise chosen(request)

@plugin.handler("async")
async def awaited(request):
    await asyncio.sleep(0)
    raise chosen(request)

@plugin.handler("later")
def later(request):
    return awaited(request)
""")

OTHER = plugin(
    """
@plugin.handler("elsewhere")
def elsewhere(request):
    raise LookupError("not mine")
""",
    "other",
)


def error(message: str, code: int = 10000, name: str = "UnexpectedError") -> object:
    return {"error": {"name": name, "code": code, "message": message}}


@pytest.mark.parametrize("path", ["/plain", "/async", "/later"])
@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("Parent:x", 200, {"by": "parent"}),
        ("Child:x", 200, {"by": "child"}),
        ("Grandchild:x", 200, {"by": "child"}),
        ("Silent:kept", 500, error("kept")),
        ("Unmapped:boom", 500, error("boom")),
        ("Reraised:x", 500, error("'instead'")),
        ("Raising:x", 500, error("the handler failed")),
        ("SkygearException:x", 200, {"code": 108}),
        ("LookupError:x", 200, ["async", "x"]),
        ("LookupError:none", 500, error("none")),
        ("LookupError:other", 404, error("later", 110, "ResourceNotFound")),
        ("SystemExit:1", 500, error("1")),
    ],
)
async def test_the_most_specific_handler_maps_an_exception(
    serve: Serve, path: str, kind: str, status: int, expected: object
) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", f"{path}?kind={kind}")
    assert (answer.status, answer.json()) == (status, expected)


async def test_an_exception_without_a_text_is_an_error_like_any_other(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN)
    answer = await served.request("GET", "/plain?kind=Strange")
    assert answer.status == 500
    assert answer.json()["error"]["code"] == 10000


async def test_a_plugin_maps_its_own_exceptions_only(serve: Serve) -> None:
    served = await serve(SKYGEAR, PLUGIN | OTHER)
    answer = await served.request("GET", "/elsewhere")
    assert (answer.status, answer.json()) == (500, error("not mine"))


RAISED = plugin("""
CASES = {
    "number": lambda: SkygearException(404),
    "nan": lambda: SkygearException("msg", 108, {"x": float("nan")}),
    "set": lambda: SkygearException("msg", 108, {"x": {1}}),
    "surrogate": lambda: Exception("\\ud800"),
    "negative": lambda: SkygearException("msg", -1),
    "word": lambda: SkygearException("msg", "108"),
    "spaces": lambda: SkygearException("  "),
    "tuple": lambda: SkygearException("msg", 108, {"x": (1, 2)}),
}

@plugin.handler("raise/")
async def serve(request):
    raise CASES[request.path[len("/raise/"):]]()
""")


@pytest.mark.parametrize(
    ("case", "status", "message"),
    [
        ("number", 500, "404"),
        ("negative", 500, "msg"),
        ("spaces", 500, "  "),
        ("tuple", 400, "msg"),
        ("word", 500, "the code of a refusal is a number, not '108'"),
    ],
)
async def test_what_an_exception_carries_is_spelt_whatever_it_is(
    serve: Serve, case: str, status: int, message: str
) -> None:
    served = await serve(SKYGEAR, RAISED)
    answer = await served.request("GET", f"/raise/{case}")
    assert (answer.status, answer.json()["error"]["message"]) == (status, message)


@pytest.mark.parametrize("case", ["nan", "set", "surrogate"])
@pytest.mark.parametrize("traceback", ["on", "off"])
async def test_what_no_json_can_carry_is_an_error_without_it(
    serve: Serve, case: str, traceback: str
) -> None:
    served = await serve(f"{SKYGEAR}traceback = {traceback}\n", RAISED)
    answer = await served.request("GET", f"/raise/{case}")
    assert answer.status == 500
    assert answer.json()["error"]["code"] == 10000


def test_a_skygear_exception_goes_through_its_dict_and_back() -> None:
    one = SkygearException("msg", 108, {"arguments": ["a"]})
    facts = {"message": "msg", "code": 108, "info": {"arguments": ["a"]}}
    assert one.as_dict() == facts
    assert SkygearException.from_dict(one.as_dict()).as_dict() == facts
    assert one.readable_message() == str(one) == "msg"
    assert SkygearException.from_dict({"message": "x"}).as_dict()["code"] == 10000
