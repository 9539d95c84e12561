"""What a wire makes of bytes: each case, its sentence and the verdict on either wire.

A verdict is the status of each answer, and then `kept` when the connection takes another request or
`closed` when it does not. `stock` is Tornado's where it differs by its nature: it is more lenient.
"""

from dataclasses import dataclass, field

LINE = b"POST /webhooks/functions/echo HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
KEY = b"X-Parse-Webhook-Key: test-key\r\n"
BODY = b'{"params":{"a":1}}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
ECHO = b"%b%b%b%b\r\n%b" % (LINE, HOST, KEY, LENGTH, BODY)
"""A good request: its answer says back the parameters."""
TOO_LARGE = b"The body is larger than"
SAID = b'{"success":{"a":1}}'


OPEN = "open"
"""Tornado closes at once, and its answer may be lost; or sees first that the sender has ended."""


@dataclass(frozen=True)
class Case:
    """One conversation that begins with these bytes."""

    sentence: str
    raw: bytes = field(repr=False)
    verdict: str
    stock: str = ""
    """The verdict on Tornado's wire, when it is another; `OPEN` when that is left to chance."""
    says: bytes = b""
    """What has to stand in the answers."""
    ends: bool = False
    """Whether the sender closes its side after these bytes, instead of sending a good request."""

    def expected(self, wire: str) -> str:
        """The verdict on a wire."""
        return self.stock or self.verdict if wire == "tornado" else self.verdict


def line(text: bytes) -> bytes:
    """A request with this line."""
    return text + b"\r\n" + HOST + b"\r\n"


def get(*headers: bytes) -> bytes:
    """A request for the health page with these header lines and the good Host."""
    return (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(one + b"\r\n" for one in headers) + b"\r\n"
    )


def bare(*headers: bytes) -> bytes:
    """The same without a Host."""
    return b"GET /healthz HTTP/1.1\r\n" + b"".join(one + b"\r\n" for one in headers) + b"\r\n"


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    """The good request with these lines in place of its Content-Length."""
    return LINE + HOST + KEY + b"".join(one + b"\r\n" for one in headers) + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    """The good request with a body in chunks, as given."""
    return LINE + HOST + KEY + CHUNKED + b"\r\n" + body


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk."""
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


LAST = b"0\r\n\r\n"
IN_CHUNKS = chunk(BODY) + LAST
BYTES = [BODY[at : at + 1] for at in range(len(BODY))]
LONG = b"x" * (50 << 10)


def sized(length: bytes) -> bytes:
    """The good request with this Content-Length."""
    return post(b"Content-Length:" + length)


def coded(coding: bytes) -> bytes:
    """The good request with its body in chunks and this Transfer-Encoding."""
    return post(b"Transfer-Encoding:" + coding, body=IN_CHUNKS)


def old(*headers: bytes, body: bytes = b"") -> bytes:
    """The good request in HTTP/1.0."""
    head = LINE.replace(b"1.1", b"1.0") + KEY + b"".join(one + b"\r\n" for one in headers)
    return head + b"\r\n" + body


def upgrade(*headers: bytes, body: bytes = BODY) -> bytes:
    """The good request, from somebody who would rather speak HTTP/2."""
    return post(*headers, b"Connection: Upgrade", b"Upgrade: h2c", body=body)


KEPT = "200 kept"
BAD = "400 closed"
CONTINUE = b"Expect: 100-continue"

GROUPS: dict[str, list[Case]] = {
    "request line": [
        Case("a good request", ECHO, KEPT, says=SAID),
        Case("a GET", HEALTH, KEPT),
        Case("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", "200 closed"),
        Case("HTTP/0.9", b"GET /healthz\r\n\r\n", BAD),
        Case("HTTP/0.9 by number", line(b"GET /healthz HTTP/0.9"), BAD),
        Case("HTTP/1.2", line(b"GET /healthz HTTP/1.2"), BAD, "200 closed"),
        Case("HTTP/2.0", line(b"GET /healthz HTTP/2.0"), BAD),
        Case("HTTP/3.0", line(b"GET /healthz HTTP/3.0"), BAD),
        Case("HTTP/1", line(b"GET /healthz HTTP/1"), BAD),
        Case("HTTP/1.10", line(b"GET /healthz HTTP/1.10"), BAD),
        Case("HTTP/11.1", line(b"GET /healthz HTTP/11.1"), BAD),
        Case("HTTP/1,1", line(b"GET /healthz HTTP/1,1"), BAD),
        Case("http/1.1 in small letters", line(b"GET /healthz http/1.1"), BAD),
        Case("HTTPS/1.1", line(b"GET /healthz HTTPS/1.1"), BAD),
        Case("RTSP/1.0", line(b"GET /healthz RTSP/1.0"), BAD),
        Case("ICE/1.0", line(b"SOURCE /healthz ICE/1.0"), BAD),
        Case("no version", line(b"GET /healthz "), BAD),
        Case("no target", line(b"GET HTTP/1.1"), BAD),
        Case("no method", line(b"/healthz HTTP/1.1"), BAD),
        Case("two spaces before the target", line(b"GET  /healthz HTTP/1.1"), BAD),
        Case("two spaces after the target", line(b"GET /healthz  HTTP/1.1"), BAD),
        Case("a space after the version", line(b"GET /healthz HTTP/1.1 "), BAD),
        Case("a space before the method", line(b" GET /healthz HTTP/1.1"), BAD),
        Case("a tab in place of a space", line(b"GET\t/healthz HTTP/1.1"), BAD),
        Case("a space in the target", line(b"GET /health z HTTP/1.1"), BAD),
        Case("line feeds alone", b"GET /healthz HTTP/1.1\nHost: x\n\n", BAD, KEPT),
        Case("carriage returns alone", b"GET /healthz HTTP/1.1\rHost: x\r\r", BAD),
        Case("an empty line before it", b"\r\n" + HEALTH, KEPT),
        Case("several empty lines before it", b"\r\n\r\n\r\n" + HEALTH, KEPT, BAD),
        Case("a line feed before it", b"\n" + HEALTH, KEPT),
    ],
    "method": [
        Case("HEAD", line(b"HEAD /healthz HTTP/1.1"), KEPT),
        Case("OPTIONS", line(b"OPTIONS /healthz HTTP/1.1"), "405 kept"),
        Case("PUT without a body", line(b"PUT /healthz HTTP/1.1"), "405 kept"),
        Case("DELETE", line(b"DELETE /healthz HTTP/1.1"), "405 kept"),
        Case("PATCH", line(b"PATCH /healthz HTTP/1.1"), "405 kept"),
        Case("TRACE", line(b"TRACE /healthz HTTP/1.1"), "405 kept"),
        Case("PROPFIND of WebDAV", line(b"PROPFIND /healthz HTTP/1.1"), "405 kept"),
        Case("one nobody knows", line(b"BREW /healthz HTTP/1.1"), BAD, "405 kept"),
        Case("small letters", line(b"get /healthz HTTP/1.1"), BAD, "405 kept"),
        Case("one of RTSP", line(b"DESCRIBE /healthz HTTP/1.1"), BAD, "405 kept"),
        Case("a sign that no method has", line(b"GE{T /healthz HTTP/1.1"), BAD),
        Case("a letter beyond ASCII", line(b"G\xc9T /healthz HTTP/1.1"), BAD),
        Case("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD),
    ],
    "target": [
        Case("a query", line(b"GET /healthz?a=b HTTP/1.1"), KEPT),
        Case("scheme and host", line(b"GET http://localhost/healthz HTTP/1.1"), KEPT),
        Case("the same, shouted", line(b"GET HTTP://localhost/healthz HTTP/1.1"), KEPT),
        Case("an unknown path", line(b"GET /nowhere HTTP/1.1"), "404 kept"),
        Case("UTF-8 that is not escaped", line("GET /é HTTP/1.1".encode()), "404 kept"),
        Case("bytes that are no UTF-8", line(b"GET /\xff\xfe HTTP/1.1"), "404 kept"),
        Case("an escape that is none", line(b"GET /%zz HTTP/1.1"), "404 kept"),
        Case("a NUL", line(b"GET /\0 HTTP/1.1"), BAD),
        Case("another control character", line(b"GET /\x01 HTTP/1.1"), BAD),
        Case("DEL", line(b"GET /\x7f HTTP/1.1"), BAD),
        Case("a bare word", line(b"GET healthz HTTP/1.1"), BAD, "404 kept"),
        Case("a query alone", line(b"GET ?a=b HTTP/1.1"), BAD, "404 kept"),
        Case("host and port", line(b"GET localhost:80 HTTP/1.1"), BAD, "404 kept"),
        Case("a star", line(b"OPTIONS * HTTP/1.1"), "404 kept"),
        Case("8,000 letters", line(b"GET /%b HTTP/1.1" % (b"x" * 8_000)), "404 kept"),
        Case("20,000 letters", line(b"GET /%b HTTP/1.1" % (b"x" * 20_000)), "431 closed"),
    ],
    "headers": [
        Case("no white space after the colon", get(b"A:b"), KEPT),
        Case("tabs around a value", get(b"A:\t b \t"), KEPT),
        Case("an empty value", get(b"A:"), KEPT),
        Case("Latin-1 in a value", get(b"A: \xe9\xff"), KEPT),
        Case("every sign that a name may have", get(b"!#$%&'*+-.^_`|~a1: b"), KEPT),
        Case("one name twice", get(b"A: b", b"A: c"), KEPT),
        Case("white space before the colon", get(b"A : b"), BAD),
        Case("a tab before the colon", get(b"A\t: b"), BAD),
        Case("no name", get(b": b"), BAD),
        Case("no colon", get(b"A"), BAD),
        Case("a bracket in a name", get(b"A(: b"), BAD),
        Case("a letter beyond ASCII in a name", get(b"\xe9: b"), BAD),
        Case("a NUL in a name", get(b"A\0: b"), BAD),
        Case("a NUL in a value", get(b"A: b\0c"), BAD),
        Case("a control character in a value", get(b"A: \x01"), BAD),
        Case("DEL in a value", get(b"A: \x7f"), BAD),
        Case("a carriage return in a value", get(b"A: b\rc"), BAD),
        Case("a line feed between two", get(b"A: b\nB: c"), BAD, KEPT),
        Case("a line that goes on in the next", get(b"A: b", b" c"), BAD),
        Case("a first line that goes on", bare(b" A: b", b"Host: x"), BAD),
        Case("a line of white space", get(b" "), BAD),
        Case("a line feed for an empty line", get()[:-2] + b"\n", BAD, KEPT),
        Case("100 of them", get(*[b"A: b"] * 99), KEPT),
        Case("101 of them", get(*[b"A: b"] * 100), "431 closed"),
        Case("3,000 of them", get(*[b"A: b"] * 3_000), "431 closed"),
        Case("15 KiB", get(b"A: %b" % (b"x" * (15 << 10))), KEPT),
        Case("17 KiB", get(b"A: %b" % (b"x" * (17 << 10))), "431 closed"),
        Case("300 KiB", get(b"A: %b" % (LONG * 6)), "431 closed", "closed"),
        Case("300 KiB of a name", get(b"%b: b" % (LONG * 6)), "431 closed", "closed"),
        Case("300 KiB of empty lines", b"\r\n" * (150 << 10), "431 closed", BAD),
    ],
    "Host": [
        Case("none", bare(), BAD, KEPT),
        Case("two", get(b"Host: localhost"), BAD, KEPT),
        Case("two that differ", get(b"Host: other"), BAD, KEPT),
        Case("two in one line", bare(b"Host: a, b"), BAD, KEPT),
        Case("an empty one", bare(b"Host:"), KEPT),
        Case("a port", bare(b"Host: localhost:8080"), KEPT),
        Case("an IPv6 address", bare(b"Host: [::1]:8080"), KEPT),
        Case("a path", bare(b"Host: localhost/a"), BAD, KEPT),
        Case("white space in it", bare(b"Host: a b"), BAD, KEPT),
        Case("a user", bare(b"Host: user@localhost"), BAD, KEPT),
        Case("301 letters", bare(b"Host: %b" % (b"x" * 301)), BAD, KEPT),
        Case("shouted", bare(b"HOST: localhost"), KEPT),
        Case("none in HTTP/1.0", old(LENGTH.strip(), body=BODY), "200 closed", says=SAID),
        Case("two in HTTP/1.0", old(b"Host: a", b"Host: b"), BAD, "200 closed"),
    ],
    "Content-Length": [
        Case("the right one", ECHO, KEPT, says=SAID),
        Case("nought", get(b"Content-Length: 0"), KEPT),
        Case("a GET with a body", get(b"Content-Length: 5") + b"hello", KEPT),
        Case("a leading nought", sized(b" 018"), KEPT, says=SAID),
        Case("white space around it", sized(b" \t18 "), KEPT, says=SAID),
        Case("none, and a body", post(), "200 400 closed"),
        Case("one too small", sized(b" 17"), "200 400 closed"),
        Case("twice the same", post(LENGTH.strip(), LENGTH.strip()), BAD, KEPT),
        Case("twice, and they differ", post(LENGTH.strip(), b"Content-Length: 1"), BAD),
        Case("a list of the same", sized(b" 18, 18"), BAD, KEPT),
        Case("a list", sized(b" 18, 1"), BAD),
        Case("a plus", sized(b" +18"), BAD),
        Case("a minus", sized(b" -18"), BAD),
        Case("a fraction", sized(b" 18.0"), BAD),
        Case("hexadecimal", sized(b" 0x12"), BAD),
        Case("an underscore", sized(b" 1_8"), BAD),
        Case("digits of another script", sized(b" \xef\xbc\x91\xef\xbc\x98"), BAD),
        Case("white space in it", sized(b" 1 8"), BAD),
        Case("nothing", sized(b""), BAD),
        Case("a word", sized(b" many"), BAD),
        Case("more than 64 bits", sized(b" 99999999999999999999"), BAD),
        Case("over the limit", sized(b" 999999999"), "200 closed", says=TOO_LARGE),
    ],
    "Transfer-Encoding": [
        Case("chunked", coded(b" chunked"), KEPT, says=SAID),
        Case("ChUnKeD", coded(b" ChUnKeD"), KEPT, says=SAID),
        Case("spaces around it", coded(b"  chunked  "), KEPT, says=SAID),
        Case("a tab behind it", coded(b" chunked\t"), BAD, KEPT),
        Case("of a GET", get(CHUNKED.strip()) + chunk(b"hello") + LAST, KEPT),
        Case("after a Content-Length", post(LENGTH + CHUNKED.strip(), body=IN_CHUNKS), BAD),
        Case("before a Content-Length", post(CHUNKED + LENGTH.strip(), body=IN_CHUNKS), BAD),
        Case("twice", post(CHUNKED + CHUNKED.strip(), body=IN_CHUNKS), BAD),
        Case("chunked, chunked", coded(b" chunked, chunked"), BAD),
        Case("gzip, chunked", coded(b" gzip, chunked"), BAD),
        Case("gzip and chunked in two lines", coded(b" gzip\r\n" + CHUNKED.strip()), BAD),
        Case("chunked, gzip", coded(b" chunked, gzip"), BAD),
        Case("gzip", coded(b" gzip"), BAD),
        Case("identity", post(b"Transfer-Encoding: identity"), BAD),
        Case("identity and a length", post(b"Transfer-Encoding: identity", LENGTH.strip()), BAD),
        Case("xchunked", coded(b" xchunked"), BAD),
        Case("chunked with a parameter", coded(b" chunked;a=b"), BAD),
        Case("chunked in quotes", coded(b' "chunked"'), BAD),
        Case("a comma before it", coded(b" ,chunked"), BAD),
        Case("a comma behind it", coded(b" chunked,"), BAD),
        Case("a vertical tab before it", coded(b" \x0bchunked"), BAD),
        Case("nothing", coded(b""), BAD),
        Case("white space before the colon", post(b"Transfer-Encoding : chunked"), BAD),
        Case("in HTTP/1.0", old(CHUNKED.strip(), body=IN_CHUNKS), BAD, "200 closed"),
    ],
    "chunks": [
        Case("several", chunked(chunk(BODY[:5]) + chunk(BODY[5:]) + LAST), KEPT, says=SAID),
        Case("one byte each", chunked(b"".join(map(chunk, BYTES)) + LAST), KEPT, says=SAID),
        Case("none", get(CHUNKED.strip()) + LAST, KEPT),
        Case("an extension", chunked(chunk(BODY, b";a=b") + LAST), KEPT, BAD),
        Case("an extension in quotes", chunked(chunk(BODY, b';a="b;c"') + LAST), KEPT, BAD),
        Case("one of the last chunk", chunked(chunk(BODY) + b"0;a=b\r\n\r\n"), KEPT, BAD),
        Case("noughts before the size", chunked(b"0" * 10 + IN_CHUNKS), KEPT, says=SAID),
        Case(
            "a size in capitals", chunked(b"1A\r\n%b        \r\n0\r\n\r\n" % BODY), KEPT, says=SAID
        ),
        Case("an empty line in the data", get(CHUNKED.strip()) + chunk(b"a\r\n\r\nb") + LAST, KEPT),
        Case("a last chunk in the data", get(CHUNKED.strip()) + chunk(LAST) + LAST, KEPT),
        Case("a trailer is dropped", chunked(chunk(BODY) + b"0\r\nHost: x\r\n\r\n"), KEPT, BAD),
        Case("several trailers", chunked(chunk(BODY) + b"0\r\nA: b\r\nC: d\r\n\r\n"), KEPT, BAD),
        Case("a trailer that is no header", chunked(chunk(BODY) + b"0\r\nA b\r\n\r\n"), BAD),
        Case(
            "a length in a trailer", chunked(chunk(BODY) + b"0\r\nContent-Length: 5\r\n\r\n"), BAD
        ),
        Case(
            "50 KiB of trailers", chunked(chunk(BODY) + b"0\r\n%b\r\n" % (b"A: b\r\n" * 9_000)), BAD
        ),
        Case("50 KiB of a trailer", chunked(chunk(BODY) + b"0\r\nA: %b\r\n\r\n" % LONG), BAD),
        Case("50 KiB of an extension", chunked(chunk(BODY, b";" + LONG) + LAST), BAD, "closed"),
        Case("a size that is no number", chunked(b"g\r\n"), BAD),
        Case("no size", chunked(b"\r\n"), BAD),
        Case("a size below nought", chunked(b"-1\r\n"), BAD),
        Case("a plus before it", chunked(b"+" + IN_CHUNKS), BAD),
        Case("0x before it", chunked(b"0x" + IN_CHUNKS), BAD),
        Case("white space before it", chunked(b" " + IN_CHUNKS), BAD),
        Case("white space behind it", chunked(b"12 \r\n" + BODY + b"\r\n" + LAST), BAD),
        Case("an underscore in it", chunked(b"1_2\r\n" + BODY + b"\r\n" + LAST), BAD),
        Case("more than 64 bits", chunked(b"f" * 17 + b"\r\n"), BAD),
        Case("a line feed behind it", chunked(b"12\n" + BODY + b"\r\n" + LAST), BAD),
        Case("a line feed behind the data", chunked(b"12\r\n" + BODY + b"\n" + LAST), BAD),
        Case("nothing behind the data", chunked(b"12\r\n" + BODY + LAST), BAD),
        Case("more data than the size", chunked(b"11\r\n" + BODY + b"\r\n" + LAST), BAD),
        Case("a line feed in an extension", chunked(b"12;a\nb\r\n" + BODY + b"\r\n" + LAST), BAD),
        Case("a line feed ends the last", chunked(chunk(BODY) + b"0\r\n\n"), BAD),
        Case("over the limit", chunked(chunk(LONG) * 300 + LAST), "200 closed", OPEN, TOO_LARGE),
    ],
    "one after another": [
        Case("two", HEALTH + ECHO, "200 200 kept", says=SAID),
        Case("ten", HEALTH * 10, "200 " * 10 + "kept"),
        Case("a thousand", HEALTH * 1_000, "200 " * 1_000 + "kept"),
        Case("a slow one first", ECHO.replace(b"/echo ", b"/slow ") + HEALTH, "200 200 kept"),
        Case("bodies in chunks", chunked(IN_CHUNKS) * 3, "200 200 200 kept"),
        Case("an empty line between", ECHO + b"\r\n" + HEALTH, "200 200 kept"),
        Case("a good one before a bad one", ECHO + b"bad\r\n\r\n", "200 400 closed", says=SAID),
        Case("a bad one before a good one", b"bad\r\n\r\n" + ECHO, BAD),
        Case("a body that looks like one", get(b"Content-Length: %d" % len(ECHO)) + ECHO, KEPT),
        Case("one that closes first", get(b"Connection: close") + HEALTH, "200 closed"),
        Case("HTTP/1.0 first", old() + HEALTH, "200 closed"),
    ],
    "keeping the connection": [
        Case("Connection: close", get(b"Connection: close"), "200 closed"),
        Case("Connection: Close", get(b"Connection: Close"), "200 closed"),
        Case("close in a list", get(b"Connection: x, close"), "200 closed", KEPT),
        Case(
            "close in a second line", get(b"Connection: x\r\nConnection: close"), "200 closed", KEPT
        ),
        Case("close and keep-alive", get(b"Connection: keep-alive, close"), "200 closed", KEPT),
        Case("keep-alive", get(b"Connection: keep-alive"), KEPT),
        Case("another word", get(b"Connection: x"), KEPT),
        Case("HTTP/1.0 and close", old(b"Connection: close"), "200 closed"),
        Case(
            "HTTP/1.0 and keep-alive",
            old(b"Connection: Keep-Alive", LENGTH.strip(), body=BODY),
            KEPT,
            says=b"eep-",
        ),
    ],
    "Expect": [
        Case("100-continue, and its body", post(LENGTH + CONTINUE), KEPT, "100 200 kept"),
        Case("100-continue without a body", get(CONTINUE), KEPT, "100 200 kept"),
        Case("over the limit", post(CONTINUE, b"Content-Length: 99999999", body=b""), "200 closed"),
        Case("in HTTP/1.0", old(LENGTH + CONTINUE, body=BODY), "200 closed", "100 200 closed"),
        Case("another expectation", get(b"Expect: a miracle"), KEPT),
    ],
    "another protocol": [
        Case("a WebSocket", get(b"Connection: Upgrade", b"Upgrade: websocket"), KEPT),
        Case(
            "HTTP/2 in the clear",
            get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"),
            KEPT,
        ),
        Case("the same with a body", upgrade(LENGTH.strip()), KEPT, says=SAID),
        Case("the same in chunks", upgrade(CHUNKED.strip(), body=IN_CHUNKS), KEPT, says=SAID),
        Case("the same twice", upgrade(LENGTH.strip()) * 2, "200 200 kept", says=SAID),
        Case("the same with no body", upgrade(b"Content-Length: 0", body=b""), KEPT),
        Case("a body that is no chunks", upgrade(CHUNKED.strip()), BAD),
        Case("a body that is encoded", upgrade(b"Transfer-Encoding: gzip"), BAD),
        Case("Upgrade alone", get(b"Upgrade: websocket"), KEPT),
        Case("CONNECT", line(b"CONNECT a:80 HTTP/1.1") + b"\x16\3", "404 closed", "404 400 closed"),
        Case("CONNECT with a path", line(b"CONNECT /healthz HTTP/1.1"), "405 closed", "405 kept"),
        Case(
            "TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n", BAD
        ),
        Case("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", BAD),
        Case("SMTP", b"EHLO localhost\r\n", BAD),
        Case("a proxy's own line", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + HEALTH, BAD),
        Case("a response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BAD),
    ],
    "a sender that ends": [
        Case("nothing at all", b"", "closed", ends=True),
        Case("an empty line", b"\r\n", "closed", ends=True),
        Case("half a request line", b"GET /hea", "closed", ends=True),
        Case("half of its headers", b"GET /healthz HTTP/1.1\r\nHost: loc", "closed", ends=True),
        Case("half of its body", ECHO[:-3], "closed", ends=True),
        Case("half of a chunk", chunked(b"12\r\n" + BODY[:5]), "closed", ends=True),
        Case("no last chunk", chunked(chunk(BODY)), "closed", ends=True),
        Case(
            "half of its trailers", chunked(IN_CHUNKS[:-2] + b"A: b\r\n"), "closed", BAD, ends=True
        ),
        Case("a whole request", ECHO, "200 closed", OPEN, ends=True),
        Case("two of them", ECHO + HEALTH, "200 200 closed", OPEN, ends=True),
        Case("one and a half", ECHO + HEALTH[:9], "200 closed", OPEN, ends=True),
    ],
}
"""The cases by what they are about."""
