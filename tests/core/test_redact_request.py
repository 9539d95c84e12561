"""Where a request may carry a secret: in headers, cookies, queries, forms and JSON."""

import base64

import pytest

from tornado_cc.core.message import Headers, Request
from tornado_cc.core.redact import MASK, Redactor, secrets_of

FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nsecret-7\r\n--b--\r\n'


def request(body: bytes = b"", query: str = "", **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "/", query, Headers(pairs), body)


@pytest.mark.parametrize(
    ("carrier", "secret"),
    [
        (request(authorization="Bearer secret-1"), "secret-1"),
        (request(authorization=f"Basic {base64.b64encode(b'ann:secret-2').decode()}"), "secret-2"),
        (request(cookie="a=1; session=secret-3"), "secret-3"),
        (request(query="password=secret-4"), "secret-4"),
        (request(b'{"token": 73219847123}'), "73219847123"),
        (request(b"password=secret-6", content_type=FORM), "secret-6"),
        (request(PART, content_type="multipart/form-data; boundary=b"), "secret-7"),
    ],
)
def test_a_secret_is_found_wherever_it_stands(carrier: Request, secret: str) -> None:
    assert secret in secrets_of(carrier)


@pytest.mark.parametrize("text", ["S3C%2b%2Fx", "%533C+/x", "S3C+/x", "S3C%2B/%78"])
def test_a_secret_is_masked_however_it_is_percent_encoded(text: str) -> None:
    assert Redactor(["S3C+/x"]).clean(f"/callback/{text}/") == f"/callback/{MASK}/"
