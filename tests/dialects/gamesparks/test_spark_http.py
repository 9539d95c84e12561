"""Requests of scripts: what a third party hears, and what the script reads of its answer."""

import asyncio
import math
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement

import pytest
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.gamesparks.fixture import request as asked
from tests.outbound.party import Party
from tests.serving import Serve
from tornado_cc import OutboundError, RequestError, TimeoutExpired
from tornado_cc.core.call import CallbackCall
from tornado_cc.dialects.gamesparks import spark_xml
from tornado_cc.gamesparks import Spark, SparkHttpResponse
from tornado_cc.hooks.blocking import Blocking
from tornado_cc.outbound import HttpClient, HttpResponse
from tornado_cc.settings import OutboundSettings

CONF = """
[dialect:gamesparks]
api_key = KEY
server_secret = SEC
"""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HTTP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def bare(http: Any) -> CallbackCall:
    call = CallbackCall(
        dialect="gamesparks", hook="on_callback", claim=("server",), request=asked()
    )
    call.http = http
    return call


class Script:
    """A script in a thread of its own, and a third party that echoes."""

    def __init__(self, client: HttpClient, origin: str) -> None:
        self._client = client
        self.origin = origin

    async def run(self, body: Callable[[Spark], Any]) -> Any:
        """What a script comes to that has a minute."""
        loop = asyncio.get_running_loop()
        until = loop.time() + 60
        http = Blocking(self._client.bound(until), loop, until)
        return await asyncio.to_thread(lambda: body(Spark(bare(http))))

    async def heard(self, body: Callable[[Any], SparkHttpResponse]) -> Any:
        """What the third party heard of the request of a script."""
        url = f"{self.origin}/echo"
        response = await self.run(lambda spark: body(spark.getHttp(url)))
        assert response.getResponseCode() == 200
        return response.getResponseJson()


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    client = HttpClient(OutboundSettings(breaker=False), loopback=True)
    async with TestServer(Party().app, host="127.0.0.1") as server:
        await client.open()
        yield Script(client, f"http://127.0.0.1:{server.port}")
        await client.close()


class Noting:
    """A client that notes what it was told and answers at once."""

    def __init__(self, response: HttpResponse | None = None) -> None:
        self.told: list[dict[str, Any]] = []
        self._response = response or HttpResponse(200, {}, b"")

    def request(self, url: str, **options: Any) -> HttpResponse:
        self.told.append({"url": url, **options})
        return self._response


def answered(buffer: bytes, **headers: str) -> SparkHttpResponse:
    return SparkHttpResponse(HttpResponse(200, headers, buffer))


def test_row_86_a_request_waits_half_a_minute_unless_it_is_told_otherwise() -> None:
    noting = Noting()
    Spark(bare(noting)).getHttp("http://x.example/").get()
    assert noting.told[0]["timeout"] == 30


@pytest.mark.parametrize(("milliseconds", "seconds"), [(5000, 5), (1, 0.001), (2500.5, 2.5005)])
def test_row_87_it_is_told_in_milliseconds(milliseconds: float, seconds: float) -> None:
    noting = Noting()
    Spark(bare(noting)).getHttp("http://x.example/", milliseconds).get()
    assert noting.told[0]["timeout"] == pytest.approx(seconds)


async def test_row_87_a_silent_server_is_given_up_then(script: Script) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutExpired, match=r"no answer within 0\.3 s"):
        await script.run(lambda spark: spark.getHttp(f"{script.origin}/slow", 300).get())
    assert asyncio.get_running_loop().time() - began < 5


async def test_row_86_a_silent_server_takes_no_more_time_than_the_script_has(serve: Serve) -> None:
    source = (
        "from tornado_cc import Plugin, TimeoutExpired\n"
        "from tornado_cc.gamesparks import Spark\n"
        "plugin = Plugin('script')\n"
        "@plugin.on_callback\n"
        "def run(call):\n"
        "    spark = Spark(call)\n"
        "    try:\n"
        "        spark.getHttp(spark.getData().url).get()\n"
        "    except TimeoutExpired:\n"
        "        call.log.info('given up')\n"
    )
    served = await serve(CONF + "[hooks]\ndeadline = 0.5\n", {"script": source})
    async with TestServer(Party().app, host="127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.port}/slow"
        await served.request("GET", f"/callback/KEY/SEC/?url={url}")
        async with asyncio.timeout(10):
            while not served.logged("given up"):
                await asyncio.sleep(0.01)


async def test_row_88_headers_and_credentials_are_sent_and_setters_chain(script: Script) -> None:
    heard = await script.heard(
        lambda http: (
            http.setHeaders({"X-Custom-header": "1234", "X-Number": 7})
            .setBasicAuth("ann", "s:ecret é")
            .setHeaders({"x-custom-HEADER": "5678", "X-Many": ["a", "b"]})
            .get()
        )
    )
    assert heard.method == "GET"
    assert heard.headers["x-custom-header"] == "5678"
    assert heard.headers["x-number"] == "7"
    assert heard.headers["x-many"] == "b"
    kind, _, credentials = heard.headers.authorization.partition(" ")
    assert (kind, b64decode(credentials).decode()) == ("Basic", "ann:s:ecret é")


async def test_row_88_a_header_of_the_scripts_own_comes_before_its_credentials(
    script: Script,
) -> None:
    heard = await script.heard(
        lambda http: (
            http.setBasicAuth("ann", "secret").setHeaders({"authorization": "Bearer t"}).get()
        )
    )
    assert heard.headers.authorization == "Bearer t"


async def test_row_88_one_request_may_be_sent_twice(script: Script) -> None:
    def body(http: Any) -> SparkHttpResponse:
        http.setHeaders({"X-A": "1"}).postString("first")
        response: SparkHttpResponse = http.get()
        return response

    heard = await script.heard(body)
    assert (heard.method, heard.body, heard.headers["x-a"]) == ("GET", "", "1")
    assert heard.headers["content-type"] is None


@pytest.mark.parametrize(("verb", "method"), [("post", "POST"), ("put", "PUT")])
async def test_rows_89_and_90_a_body_in_each_form(verb: str, method: str, script: Script) -> None:
    def send(form: str, value: object) -> Callable[[Any], SparkHttpResponse]:
        return lambda http: getattr(http, verb + form)(value)

    form = {"a": "x y&=é", "n": 1, "f": 1.5, "t": True, "z": None, "l": [1, "b"], "o": {"p": 1}}
    heard = await script.heard(send("Form", form))
    assert (heard.method, heard.headers["content-type"]) == (
        method,
        "application/x-www-form-urlencoded",
    )
    assert parse_qsl(heard.body, keep_blank_values=True) == [
        ("a", "x y&=é"),
        ("n", "1"),
        ("f", "1.5"),
        ("t", "true"),
        ("z", ""),
        ("l", "1"),
        ("l", "b"),
        ("o", '{"p":1}'),
    ]
    heard = await script.heard(send("Json", {"a": [1, {"b": "é"}]}))
    assert (heard.method, heard.headers["content-type"]) == (method, "application/json")
    assert heard.body == '{"a":[1,{"b":"é"}]}'
    heard = await script.heard(send("String", 'raw "text" é'))
    assert (heard.method, heard.headers["content-type"]) == (method, "text/plain;charset=UTF-8")
    assert heard.body == 'raw "text" é'
    heard = await script.heard(send("Xml", "<a>é</a>"))
    assert (heard.method, heard.headers["content-type"]) == (
        method,
        "application/xml;charset=UTF-8",
    )
    assert heard.body == "<a>é</a>"
    root = Element("order", id="7")
    SubElement(root, "item").text = "<é>"
    heard = await script.heard(send("Xml", root))
    head = "<?xml version='1.0' encoding='utf-8'?>\n"
    assert heard.body == head + '<order id="7"><item>&lt;é&gt;</item></order>'


async def test_row_90_delete(script: Script) -> None:
    heard = await script.heard(lambda http: http.delete())
    assert (heard.method, heard.body) == ("DELETE", "")


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
async def test_row_89_a_content_type_of_the_scripts_own_stays(name: str, script: Script) -> None:
    for send, body in (("postJson", '"a"'), ("postString", "a"), ("postForm", "a=b")):
        value = {"a": "b"} if send == "postForm" else "a"
        heard = await script.heard(
            lambda http, send=send, value=value: getattr(  # type: ignore[misc]
                http.setHeaders({name: "application/vnd.x+json"}), send
            )(value)
        )
        assert (heard.headers["content-type"], heard.body) == ("application/vnd.x+json", body)


@HTTP
@given(
    st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=3) | st.integers(-5, 5), max_size=4),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=5,
    ),
    TEXT,
)
async def test_row_89_whatever_is_sent_arrives_as_it_was(
    script: Script, form: dict[str, Any], value: Any, text: str
) -> None:
    heard = await script.heard(lambda http: http.postForm(form))
    wanted = [
        (name, str(one))
        for name, item in form.items()
        for one in (item if isinstance(item, list) else [item])
    ]
    assert parse_qsl(heard.body, keep_blank_values=True) == wanted
    response = await script.run(
        lambda spark: spark.getHttp(f"{script.origin}/echo").postJson({"value": value})
    )
    sent = SparkHttpResponse(HttpResponse(200, {}, response.getResponseJson().body.encode()))
    assert sent.getResponseJson() == {"value": value}
    assert (await script.heard(lambda http: http.putString(text))).body == text


@pytest.mark.parametrize(
    ("send", "value", "words"),
    [
        ("postString", {"a": 1}, "this sends a text, not a dict; there is also postJson"),
        ("putString", None, "this sends a text, not a NoneType"),
        ("postForm", ["a"], "a form is a mapping, not a list"),
        ("postForm", {"a": {1}}, "is a set, which JSON cannot carry"),
        ("putJson", float("nan"), "not a finite number"),
        ("postString", "\ud800", "surrogates not allowed"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(
    send: str, value: object, words: str
) -> None:
    noting = Noting()
    http = Spark(bare(noting)).getHttp("http://x.example/")
    with pytest.raises((TypeError, ValueError), match=words):
        getattr(http, send)(value)
    assert noting.told == []


@pytest.mark.parametrize(
    "prepare",
    [
        lambda spark: spark.getHttp("ftp://x.example/"),
        lambda spark: spark.getHttp("http://x.example/", 0),
        lambda spark: spark.getHttp("http://x.example/").setHeaders({"X": "a\r\nY: b"}),
        lambda spark: spark.getHttp("http://x.example/").setHeaders({"Content-Length": "1"}),
    ],
)
async def test_what_makes_no_sense_is_an_error_when_it_is_sent(
    prepare: Callable[[Spark], Any], script: Script
) -> None:
    with pytest.raises(RequestError):
        await script.run(lambda spark: prepare(spark).get())


@pytest.mark.parametrize("status", [200, 204, 301, 400, 404, 500, 503])
async def test_row_91_an_answer_is_an_answer_whatever_its_status(
    status: int, script: Script
) -> None:
    url = f"{script.origin}/status/{status}"
    response = await script.run(lambda spark: spark.getHttp(url).get())
    assert response.getResponseCode() == status
    assert repr(response) == f"<SparkHttpResponse {status}>"


async def test_row_91_no_answer_is_an_error(script: Script) -> None:
    with pytest.raises(OutboundError):
        await script.run(lambda spark: spark.getHttp("http://127.0.0.1:1025/").get())


async def test_row_91_text_headers_and_cookies(script: Script) -> None:
    response = await script.run(lambda spark: spark.getHttp(f"{script.origin}/cookies").get())
    assert response.getCookies() == list(response._response.cookies)
    assert len(response.getCookies()) > 1
    headers = response.getHeaders()
    kind = headers["content-type"]
    assert kind
    assert headers["Content-Type"] == headers["CONTENT-TYPE"] == kind
    assert headers["X-Missing"] is None
    assert headers.missing is None
    assert isinstance(response.getResponseString(), str)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":{"b":[1]}}', {"a": {"b": [1]}}),
        (b"[]", []),
        (b"null", None),
        (b"7", 7),
        (b"", None),
        (b"<a/>", None),
        (b'{"a":', None),
        (b'{"a":NaN}', None),
        (b"[" * 200 + b"]" * 200, None),
        (b"\xff", None),
    ],
)
def test_row_91_json_or_null(body: bytes, value: Any) -> None:
    assert answered(body).getResponseJson() == value


def test_row_91_json_is_read_as_in_javascript_and_may_be_changed() -> None:
    response = answered(b'{"a":{"b":[{"c":1}]}}')
    found = response.getResponseJson()
    assert found.a.b[0].c == 1
    assert found.missing is None
    found.a.d = 2
    assert found == {"a": {"b": [{"c": 1}], "d": 2}}
    assert response.getResponseJson().a.d is None


def test_row_91_undecodable_bytes_are_replaced() -> None:
    assert answered(b"a\xffb").getResponseString() == "a\ufffdb"


def test_row_91_xml_is_an_element() -> None:
    root = answered('<a x="1"><b>é</b><b/>tail</a>'.encode()).getResponseXml()
    assert root is not None
    assert (root.tag, root.get("x"), [one.text for one in root.findall("b")]) == (
        "a",
        "1",
        ["é", None],
    )
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1")
    found = answered(latin).getResponseXml()
    assert found is not None
    assert found.text == "é"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b"<a/><b/>",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    ],
)
def test_row_91_what_is_no_xml_or_has_a_document_type_is_null(body: bytes) -> None:
    assert answered(body).getResponseXml() is None


def test_row_91_xml_that_would_grow_is_not_expanded() -> None:
    entities = "".join(
        f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 12)
    )
    body = f'<!DOCTYPE a [<!ENTITY e0 "{"x" * 100}">{entities}]><a>{"&e11;" * 1000}</a>'
    assert spark_xml.parse(body.encode() + b" " * (1 << 20)) is None


@given(st.binary(max_size=60))
def test_row_91_any_bytes_are_an_answer(body: bytes) -> None:
    response = answered(body)
    response.getResponseString()
    response.getResponseJson()
    response.getResponseXml()


def test_a_request_shows_nothing_of_its_credentials() -> None:
    http = Spark(bare(Noting())).getHttp("http://x.example/?key=hunter2")
    assert "hunter2" not in repr(http.setBasicAuth("ann", "hunter2"))


async def test_credentials_are_in_no_log_and_in_no_error(serve: Serve) -> None:
    source = (
        "from tornado_cc import Plugin\n"
        "from tornado_cc.gamesparks import Spark\n"
        "plugin = Plugin('script')\n"
        "@plugin.on_callback\n"
        "def run(call):\n"
        "    secret = '-'.join(('hunter2', '4711'))\n"
        "    http = Spark(call).getHttp('http://127.0.0.1:1025/?key=' + secret)\n"
        "    http.setBasicAuth('ann', secret).setHeaders({'X-Key': secret}).get()\n"
    )
    served = await serve(CONF, {"script": source})
    answer = await served.request("GET", "/callback/KEY/SEC/")
    assert answer.status == 500
    assert b"hunter2-4711" not in answer.body
    for record in served.records:
        assert "hunter2-4711" not in f"{vars(record)} {record.exc_info and record.exc_info[1]}"


def test_the_time_is_never_without_end() -> None:
    noting = Noting()
    Spark(bare(noting)).getHttp("http://x.example/", 10**9).get()
    assert math.isfinite(noting.told[0]["timeout"])
