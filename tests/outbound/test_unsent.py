"""Requests that are told of: checked as those that are sent, and answered with nothing."""

import pytest

from tornado_cc.outbound import RequestError, Unsent, UnsentClient


async def test_a_request_is_told_of_without_what_may_be_secret_in_its_address() -> None:
    told: list[Unsent] = []
    client = UnsentClient(told.append)
    response = await client.bound(0).request(
        "https://ann:Zx8-CANARY@example.com:8443/pay?key=Zx8-CANARY#Zx8-CANARY",
        method="post",
        params={"key2": "Zx8-CANARY"},
        headers={"Content-Type": "application/json", "Authorization": "Zx8-CANARY"},
        body={"coins": 3},
        followRedirects=True,
        timeout=1,
    )
    assert told == [Unsent("POST", "https://example.com:8443/pay", 11, "application/json")]
    assert (response.status, response.text, response.data) == (200, "", None)
    assert (response.headers, response.cookies) == ({}, ())


async def test_one_without_a_body_has_no_size() -> None:
    told: list[Unsent] = []
    await UnsentClient(told.append).request("http://example.com")
    assert told == [Unsent("GET", "http://example.com/", 0, "")]


async def test_what_cannot_be_sent_is_refused_and_not_told_of() -> None:
    told: list[Unsent] = []
    with pytest.raises(RequestError, match="Unsupported protocol"):
        await UnsentClient(told.append).request("ftp://example.com")
    assert told == []
