"""Redirects: off unless asked for, bounded, and never a leak."""

import re

import pytest

from tests.outbound.conftest import Opened, Served, Wired
from tests.outbound.wire import answer, say
from tornado_cc.outbound import HttpClient, HttpError, TooManyRedirects
from tornado_cc.outbound.redirect import redirected
from tornado_cc.outbound.request import prepare

ALL = [301, 302, 303, 307, 308]
SECRETS = {"Authorization": "Bearer t", "Cookie": "a=1", "X-Api-Key": "k", "Content-Type": "a/b"}


@pytest.mark.parametrize("status", ALL)
async def test_a_redirect_is_the_answer_unless_it_is_followed(
    client: HttpClient, party: Served, status: int
) -> None:
    response = await client.request(party.at(f"/moved/{status}"))
    assert (response.status, response.text) == (status, "moved")
    assert response.headers["location"] == "/echo"


@pytest.mark.parametrize("status", ALL)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_followed_redirect_keeps_the_method_where_it_should(
    client: HttpClient, party: Served, status: int, method: str
) -> None:
    await client.request(party.at(f"/moved/{status}"), method=method, follow_redirects=True)
    turns = status == 303 or (status in (301, 302) and method == "POST")
    after = "GET" if turns and method != "HEAD" else method
    assert party.party.asked == [f"{method} /moved/{status}", f"{after} /echo"]


@pytest.mark.parametrize("status", ALL)
async def test_post_becomes_get_without_a_body_or_keeps_it(
    client: HttpClient, party: Served, status: int
) -> None:
    headers = {"Content-Type": "application/json", "Content-Language": "en", "X-Mine": "a"}
    response = await client.request(
        party.at(f"/moved/{status}"),
        method="POST",
        headers=headers,
        body={"a": 1},
        follow_redirects=True,
    )
    heard = response.data
    kept = status in (307, 308)
    assert heard["body"] == ('{"a":1}' if kept else "")
    assert heard["headers"].get("content-type") == ("application/json" if kept else None)
    assert heard["headers"].get("content-language") == ("en" if kept else None)
    assert heard["headers"]["x-mine"] == "a"


async def test_other_statuses_with_a_location_are_answers(
    client: HttpClient, party: Served
) -> None:
    response = await client.request(party.at("/moved/300"), follow_redirects=True)
    assert response.status == 300


async def test_a_redirect_without_a_location_is_the_answer(
    client: HttpClient, party: Served
) -> None:
    response = await client.request(party.at("/nowhere"), follow_redirects=True)
    assert (response.status, response.text) == (302, "no Location")


@pytest.mark.parametrize("hops", [1, 3])
async def test_as_many_redirects_as_the_setting_says_are_followed(
    client: HttpClient, party: Served, hops: int
) -> None:
    response = await client.request(party.at(f"/hops/{hops}"), follow_redirects=True)
    assert response.text == "arrived"


@pytest.mark.parametrize("limit", [0, 2, 3])
async def test_one_more_is_an_error(opened: Opened, party: Served, limit: int) -> None:
    client = await opened(max_redirects=limit)
    with pytest.raises(TooManyRedirects, match=f"more than {limit} redirects"):
        await client.request(party.at(f"/hops/{limit + 1}"), follow_redirects=True)
    assert len(party.party.asked) == limit + 1


async def test_a_loop_ends(client: HttpClient, party: Served) -> None:
    with pytest.raises(TooManyRedirects):
        await client.request(party.at("/loop"), follow_redirects=True)


async def test_the_end_of_a_redirect_may_be_an_error(client: HttpClient, party: Served) -> None:
    with pytest.raises(HttpError) as caught:
        await client.request(party.at("/moved/302?to=/status/404"), follow_redirects=True)
    assert caught.value.status == 404


@pytest.mark.parametrize("status", ALL)
async def test_nothing_secret_follows_to_another_origin(
    client: HttpClient, party: Served, other: Served, status: int
) -> None:
    url = party.at(f"/moved/{status}?to={other.at('/echo')}").replace("//", "//user:pw@", 1)
    sent = {name: value for name, value in SECRETS.items() if name != "Authorization"}
    for headers in (SECRETS, sent):
        response = await client.request(url, headers=headers, follow_redirects=True)
        heard = response.data["headers"]
        assert not {"authorization", "cookie", "x-api-key"} & heard.keys()


@pytest.mark.parametrize("status", ALL)
async def test_neither_a_header_nor_the_body_follows_to_another_origin(
    client: HttpClient, party: Served, other: Served, status: int
) -> None:
    url = party.at(f"/moved/{status}?to={other.at('/echo')}")
    response = await client.request(
        url, method="POST", headers={"X-Mine": "a"}, body={"a": 1}, follow_redirects=True
    )
    heard = response.data
    assert heard["method"] == ("POST" if status in (307, 308) else "GET")
    assert heard["body"] == ""
    assert not {"x-mine", "content-type"} & heard["headers"].keys()


def test_a_port_that_is_stated_is_the_same_origin_as_one_that_goes_without_saying() -> None:
    before = prepare("https://example.org/", method="POST", headers={"X-Mine": "a"}, body="b")
    after = redirected(before, 307, "https://EXAMPLE.org.:443/c")
    assert (after.headers, after.body) == (before.headers, before.body)
    elsewhere = redirected(before, 307, "https://example.org:8443/c")
    assert (elsewhere.headers, elsewhere.body) == ((), None)


async def test_credentials_stay_at_their_own_origin(client: HttpClient, party: Served) -> None:
    url = party.at("/moved/302").replace("//", "//user:pw@", 1)
    response = await client.request(url, follow_redirects=True)
    assert response.data["headers"]["authorization"].startswith("Basic ")


async def test_a_location_may_be_relative_and_beyond_ascii(
    client: HttpClient, party: Served
) -> None:
    url = party.at("/moved/302")
    response = await client.request(url, params={"to": "../echo?é=1#part"}, follow_redirects=True)
    assert response.data["path"] == "/echo?%C3%A9=1"


@pytest.mark.parametrize(
    "location",
    [
        "ftp://example.org/CANARY",
        "http://127.0.0.1:81/CANARY",
        "http://[CANARY/",
        "http://a:CANARY/",
        "mailto:CANARY@example.org",
        "http://CANARY..x/",
    ],
)
async def test_a_redirect_that_leads_nowhere_is_an_error(
    client: HttpClient, wired: Wired, location: str
) -> None:
    wire = await wired(answer(b"", f"Location: {location}", status="302 Found"))
    with pytest.raises(TooManyRedirects, match="leads nowhere") as caught:
        await client.request(wire.url, follow_redirects=True)
    assert not re.search("CANARY", f"{caught.value} {caught.value!r} {caught.value.__context__}")


@pytest.mark.parametrize("location", [b"/\xff\xfe", b"/a b"])
async def test_a_location_that_is_not_encoded_is_an_error(
    client: HttpClient, wired: Wired, location: bytes
) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    wire = await wired(say(head))
    with pytest.raises(TooManyRedirects, match="leads nowhere"):
        await client.request(wire.url, follow_redirects=True)


def test_a_redirect_from_https_to_http_is_an_error() -> None:
    before = prepare("https://example.org/a")
    with pytest.raises(TooManyRedirects, match="https to http"):
        redirected(before, 302, "http://example.org/a")
    assert redirected(before, 302, "//example.net/b").url == "https://example.net/b"
    assert redirected(prepare("http://a/"), 302, "https://a/").url == "https://a/"
