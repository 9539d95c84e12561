"""`Spark.getHttp(url)`: a request that is put together, sent, and answered as JavaScript had it."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Self, cast
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, tostring

from tornado_cc.core import json_value
from tornado_cc.core.ports import Http
from tornado_cc.dialects.gamesparks import spark_xml
from tornado_cc.dialects.gamesparks.spark_json import JsonObject, scripted

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_TEXT = "text/plain;charset=UTF-8"
_XML = "application/xml;charset=UTF-8"


class _Headers(JsonObject):
    """Headers by their names in lower case; another spelling finds them too."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        return self.get(key.lower())


class SparkHttpResponse:
    """An answer, whatever its status. What is asked of it twice is the same twice."""

    __slots__ = ("_response",)

    def __init__(self, response: Any) -> None:
        self._response = response

    def __repr__(self) -> str:
        return f"<SparkHttpResponse {self.getResponseCode()}>"

    def getResponseCode(self) -> int:
        """The status, such as 200."""
        return int(self._response.status)

    def getHeaders(self) -> JsonObject:
        """The headers, found by any spelling: `getHeaders()["Content-Type"]`."""
        return _Headers(self._response.headers)

    def getCookies(self) -> list[str]:
        """The values of the `Set-Cookie` headers."""
        return list(self._response.cookies)

    def getResponseString(self) -> str:
        """The body as UTF-8; what cannot be decoded is replaced."""
        return str(self._response.text)

    def getResponseJson(self) -> Any:
        """The body as JSON, whatever its Content-Type; None when it is none."""
        try:
            return scripted(json_value.parse(self._response.buffer))
        except json_value.NotJson:
            return None

    def getResponseXml(self) -> Element | None:
        """The body as an element of `xml.etree`; None when it is no XML, or has a DOCTYPE."""
        return spark_xml.parse(self._response.buffer)


class SparkHttp:
    """A request, put together by setters that may be chained, and sent as often as it is told to.

    Each method that sends one waits for its answer, whose status may be any. It raises an
    `OutboundError` when there is no answer: in time, at all, or because it makes no sense to ask.
    """

    __slots__ = ("_authorization", "_headers", "_http", "_seconds", "_url")

    def __init__(self, http: Http, url: str, seconds: float) -> None:
        self._http = http
        self._url = url
        self._seconds = seconds
        self._headers: dict[str, Any] = {}
        self._authorization = ""

    def setBasicAuth(self, userName: str, password: str) -> Self:
        """Send a name and a password; a header `Authorization` of the script's own comes first."""
        pair = f"{userName}:{password}".encode()
        self._authorization = f"Basic {b64encode(pair).decode()}"
        return self

    def setHeaders(self, headers: Mapping[str, Any]) -> Self:
        """Send these headers besides those that were set before; a list repeats one."""
        for name, value in headers.items():
            for other in [one for one in self._headers if one.lower() == name.lower()]:
                del self._headers[other]
            self._headers[name] = value
        return self

    def get(self) -> SparkHttpResponse:
        """Send it as a GET."""
        return self._send("GET")

    def delete(self) -> SparkHttpResponse:
        """Send it as a DELETE."""
        return self._send("DELETE")

    def postForm(self, form: Mapping[str, Any]) -> SparkHttpResponse:
        """POST fields, urlencoded; a list repeats one."""
        return self._send("POST", _form(form), _FORM)

    def postJson(self, json: object) -> SparkHttpResponse:
        """POST any value as JSON."""
        return self._send("POST", _json(json), _JSON)

    def postString(self, data: str) -> SparkHttpResponse:
        """POST a text as it is."""
        return self._send("POST", _text(data), _TEXT)

    def postXml(self, xml: Element | str) -> SparkHttpResponse:
        """POST an element of `xml.etree`, or a document as text."""
        return self._send("POST", _xml(xml), _XML)

    def putForm(self, form: Mapping[str, Any]) -> SparkHttpResponse:
        """PUT fields, urlencoded; a list repeats one."""
        return self._send("PUT", _form(form), _FORM)

    def putJson(self, json: object) -> SparkHttpResponse:
        """PUT any value as JSON."""
        return self._send("PUT", _json(json), _JSON)

    def putString(self, data: str) -> SparkHttpResponse:
        """PUT a text as it is."""
        return self._send("PUT", _text(data), _TEXT)

    def putXml(self, xml: Element | str) -> SparkHttpResponse:
        """PUT an element of `xml.etree`, or a document as text."""
        return self._send("PUT", _xml(xml), _XML)

    def _send(
        self, method: str, body: bytes | None = None, kind: str | None = None
    ) -> SparkHttpResponse:
        headers = dict(self._headers)
        names = {name.lower() for name in headers}
        if kind is not None and "content-type" not in names:
            headers["Content-Type"] = kind
        if self._authorization and "authorization" not in names:
            headers["Authorization"] = self._authorization
        # In a plain hook it blocks, and returns no awaitable.
        response = cast(Any, self._http).request(
            self._url,
            method=method,
            headers=headers,
            body=body,
            timeout=self._seconds,
            raise_for_status=False,
        )
        return SparkHttpResponse(response)


def _form(form: Mapping[str, Any]) -> bytes:
    return urlencode(list(_fields(json_value.checked(form)))).encode()


def _fields(form: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(form, dict):
        raise TypeError(f"a form is a mapping, not a {type(form).__name__}")
    for name, value in form.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, _spelt(one)


def _spelt(value: Any) -> str:
    """A field's value: a text as it is, null as nothing, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_value.dump(value).decode()


def _json(value: object) -> bytes:
    return json_value.dump(json_value.checked(value))


def _text(data: object) -> bytes:
    if not isinstance(data, str):
        raise TypeError(f"this sends a text, not a {type(data).__name__}; there is also postJson")
    return data.encode()


def _xml(xml: Element | str) -> bytes:
    if isinstance(xml, str):
        return xml.encode()
    return cast(bytes, tostring(xml, encoding="utf-8", xml_declaration=True))
