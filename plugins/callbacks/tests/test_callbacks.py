"""What GameSparks' page says that its scripts answer."""

import pytest

from tests.serving import Answer, Serve, Served

CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC

[credential:callbacks]
secret = CB
"""
FIRED = "on_callback callbacks (callbacks)"


async def get(served: Served, query: str) -> Answer:
    return await served.request("GET", f"/callback/KEY/callbacks/CB/?{query}")


async def test_one_parameter_is_a_string_and_several_of_one_name_an_array(serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    answer = await get(served, "example=parameters&attr1=abc&attr2=bcd&attr2=cde")
    assert answer.json() == {"attribute1": "abc", "attribute2": ["bcd", "cde"]}
    assert served.fired == [FIRED]


async def test_script_data_is_the_json_of_the_answer(serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    answer = await get(served, "example=json")
    assert answer.header("content-type") == "application/json"
    assert answer.json() == {"key1": "value1", "key2": "value2"}


async def test_a_raw_answer_is_its_text(serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    assert (await get(served, "example=raw")).body == b"OK"


async def test_a_header_is_a_header_and_no_part_of_the_json(serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    answer = await get(served, "example=headers")
    assert (answer.header("myHeader"), answer.json()) == ("myValue", {})


async def test_content_type_and_encoding_may_be_parameters(serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    answer = await get(served, "example=raw&contentType=text/html&characterEncoding=UTF-8")
    assert answer.header("content-type") == "text/html;charset=UTF-8"


@pytest.mark.parametrize("body", ['{"entry":[{"id":"7"}]}', "a=b&c", "你"])
async def test_what_is_posted_is_a_text(body: str, serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    path = "/callback/KEY/callbacks/CB/?example=post"
    answer = await served.request("POST", path, {}, body.encode())
    assert answer.body.decode() == body


@pytest.mark.parametrize("query", ["", "example=nosuch", "example=raw&example=raw"])
async def test_an_example_that_is_none_is_a_script_error(query: str, serve: Serve) -> None:
    served = await serve(CONF, enable="callbacks")
    answer = await get(served, query)
    assert (answer.status, answer.json()) == (200, {"error": {"example": "UNKNOWN"}})
