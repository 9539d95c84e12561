"""helloWorld, called as a Parse Server calls it."""

from tests.serving import Serve

HELLO = {"functionName": "helloWorld", "params": {}, "master": False}


async def test_hello_world_says_hello(serve: Serve) -> None:
    served = await serve(enable="hello")
    assert await served.webhook("", HELLO) == {"success": "Hello World!"}
    assert served.fired == ["cloud_function helloWorld (hello)"]


async def test_hello_world_is_the_only_function_it_knows(serve: Serve) -> None:
    served = await serve(enable="hello")
    answer = await served.webhook("", {**HELLO, "functionName": "helloMoon"})
    assert answer == {"error": "Unknown function"}
    assert served.fired == []
