"""The curl examples of Skygear's documentation, to the letter."""

import asyncio
import shutil

import pytest

from tests.serving import Serve, Served

SKYGEAR = """
[dialect:skygear]
api_key = your-api-key
"""


@pytest.fixture
async def served(serve: Serve) -> Served:
    served = await serve(SKYGEAR, enable="endpoints")
    await served.know(tokens={"user-access-token": "user-42"})
    return served


async def curl(served: Served, *arguments: str) -> str:
    """What curl prints; the last argument is a path."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    *options, path = arguments
    url = f"http://127.0.0.1:{served.port}/{path}"
    process = await asyncio.create_subprocess_exec(
        program, "--silent", "--noproxy", "*", *options, url, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


async def test_the_parameters_of_the_query_string(served: Served) -> None:
    printed = await curl(served, "get_query_string?key=month&value=10")
    assert printed == '{"key": "month", "value": 10}'


async def test_a_form(served: Served) -> None:
    kind = "Content-Type: application/x-www-form-urlencoded"
    printed = await curl(served, "-H", kind, "-d", "a=3&b=at", "form")
    assert printed == '{"a": 3, "b": "at"}'


async def test_a_json_body(served: Served) -> None:
    kind = "Content-Type: application/json"
    printed = await curl(served, "-H", kind, "-d", '{"name": "John"}', "json")
    assert printed == '{"name": "John"}'


async def test_the_full_url(served: Served) -> None:
    assert await curl(served, "url/more/levels?level=3") == '{"path": "more/levels?level=3"}'


async def test_key_and_token_of_a_user(served: Served) -> None:
    key, token = "X-Skygear-API-Key: your-api-key", "X-Skygear-Access-Token: user-access-token"
    assert await curl(served, "-H", key, "-H", token, "me") == '{"user_id": "user-42"}'


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "NotAuthenticated"),
        ({"X-Skygear-API-Key": "your-api-key"}, "NotAuthenticated"),
        ({"X-Skygear-API-Key": "another"}, "AccessKeyNotAccepted"),
        ({"X-Skygear-Access-Token": "another"}, "AccessTokenNotAccepted"),
    ],
)
async def test_anybody_else_is_refused(served: Served, headers: dict[str, str], name: str) -> None:
    answer = await served.request("GET", "/me", headers)
    assert (answer.status, answer.json()["error"]["name"]) == (401, name)
    assert served.fired == []


async def test_one_path_with_a_function_for_each_method(served: Served) -> None:
    assert (await served.request("GET", "/my_endpoint")).body == b"get"
    posted = await served.request("POST", "/my_endpoint")
    assert (posted.status, posted.body) == (201, b"post")
    assert (await served.request("PUT", "/my_endpoint")).status == 404


async def test_what_is_missing_is_an_error(served: Served) -> None:
    assert (await served.request("GET", "/get_query_string")).status == 500
    assert (await served.request("POST", "/json", {}, b"{")).status == 500
