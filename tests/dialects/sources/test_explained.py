"""Why a signature does not fit is found out when it comes, for whoever has to mend it."""

import json
import zlib
from base64 import b64encode
from typing import Any

import pytest

from tests.dialects.sources.signing import (
    BODY,
    NOW,
    SECTIONS,
    SHOP,
    SIGNED,
    STRIPE,
    WHSEC,
    Sign,
    events,
    github,
    hexdigest,
    now,
    refused,
    shop,
    slack,
    standard,
    stripe,
)
from tornado_cc.dialects.sources import explain

__all__ = ["now"]

pytestmark = pytest.mark.usefixtures("now")
EVENT = {"id": "evt_1", "url": "https://a.example/é", "amount": 12.5, "b": [1, {"a": None}]}
COMPACT = json.dumps(EVENT, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("name", SIGNED)
def test_a_wrong_secret_is_told(name: str) -> None:
    headers = SIGNED[name](secret="whsec_bm90LXRoZS1zZWNyZXQ=")
    assert refused(events(), name, headers) == (
        401,
        "wrong secret",
        "the signature does not fit the secret; no other spelling of the body does either",
    )


@pytest.mark.parametrize("name", SIGNED)
def test_a_missing_header_is_told_by_its_name(name: str) -> None:
    # That with the id is needed where the id is signed; elsewhere it has no part in this.
    needed = {one for one in SIGNED[name]() if one not in ("X-GitHub-Delivery", "X-Shop-Id")}
    for one in needed:
        headers = {key: value for key, value in SIGNED[name]().items() if key != one}
        status, verdict, cause = refused(events(), name, headers)
        assert (status, verdict, cause.lower()) == (
            401,
            "header missing",
            f"the header {one.lower()} is missing",
        )


@pytest.mark.parametrize(
    ("name", "other", "cause"),
    [
        ("stripe", "github", "X-Hub-Signature-256 is there, as github sends it"),
        ("github", "stripe", "Stripe-Signature is there, as stripe sends it"),
        ("slack", "standard", "webhook-signature is there, as standardwebhooks sends it"),
        ("shop", "slack", "X-Slack-Signature is there, as slack sends it"),
    ],
)
def test_the_headers_of_another_provider_are_recognised(name: str, other: str, cause: str) -> None:
    status, verdict, told = refused(events(), name, SIGNED[other]())
    assert (status, verdict) == (401, "another provider's")
    assert cause in told


def spelt(**options: Any) -> bytes:
    return json.dumps(EVENT, **options).encode()


@pytest.mark.parametrize(
    ("sent", "arrived", "how"),
    [
        (COMPACT, spelt(), "as JSON compact"),
        (spelt(), COMPACT, "as JSON with a space after each comma and colon and escaped to ASCII"),
        (spelt(indent=2, ensure_ascii=False), COMPACT, "as JSON indented by two"),
        (spelt(indent=4), COMPACT, "as JSON indented by four and escaped to ASCII"),
        (
            spelt(separators=(",", ":"), sort_keys=True, ensure_ascii=False),
            spelt(),
            "as JSON compact, its keys sorted",
        ),
        (spelt(separators=(",", ":")).replace(b"/", b"\\/"), COMPACT, "with \\/"),
        (b"a\nb\n", b"a\r\nb\r\n", "with LF in place of CRLF"),
        (b"a\r\nb\r\n", b"a\nb\n", "with CRLF in place of LF"),
        (b"{}", b" {}\n", "without the white space around it"),
        (b"{}\n", b"{}", "with a line end after it"),
        (b"\xef\xbb\xbf{}", b"{}", "with a byte-order mark"),
        (b"{}", b"\xef\xbb\xbf{}", "without a byte-order mark"),
        (b"a=b c/d", b"a=b%20c%2Fd", "with its percent signs decoded"),
        (b"a=b c/d", b"a=b+c%2Fd", "with + and percent signs decoded"),
        ("é".encode("latin-1"), "é".encode(), "in Latin-1 in place of UTF-8"),
        ("é".encode(), "é".encode("latin-1"), "in UTF-8 in place of Latin-1"),
        (COMPACT, b64encode(COMPACT), "decoded from base64"),
        (COMPACT, zlib.compress(COMPACT), "decompressed"),
        (COMPACT, zlib.compress(COMPACT, wbits=31), "decompressed"),
        (b"", COMPACT, "when it is empty"),
    ],
)
@pytest.mark.parametrize("sign", [github, stripe], ids=["github", "stripe"])
def test_a_body_that_was_encoded_anew_on_the_way_is_recognised(
    sent: bytes, arrived: bytes, how: str, sign: Sign
) -> None:
    status, verdict, cause = refused(
        events(), "stripe" if sign is stripe else "github", sign(sent), arrived
    )
    assert (status, verdict) == (401, "body re-encoded")
    assert cause.startswith("the signature fits the body ")
    assert how in cause


@pytest.mark.parametrize(
    ("name", "secret", "headers", "how"),
    [
        ("stripe", f" {STRIPE}\n", stripe(), "without the white space around it"),
        (
            "stripe",
            WHSEC,
            {"Stripe-Signature": f"t={NOW},v1={hexdigest(WHSEC[6:], f'{NOW}.'.encode() + BODY)}"},
            "without whsec_",
        ),
        ("github", b64encode(SHOP.encode()).decode(), github(secret=SHOP), "decoded from base64"),
        ("github", SHOP.encode().hex(), github(secret=SHOP), "decoded from hex"),
        (
            "standard",
            WHSEC,
            standard(secret="whsec_" + b64encode(WHSEC.encode()).decode()),
            "taken as text",
        ),
    ],
)
def test_a_secret_that_both_sides_read_differently_is_recognised(
    name: str, secret: str, headers: dict[str, str], how: str
) -> None:
    dialect = events({name: {**SECTIONS[name], "secret": secret}})
    assert refused(dialect, name, headers) == (
        401,
        "secret read differently",
        f"the signature fits the secret {how}",
    )


def test_the_secret_of_another_source_is_recognised() -> None:
    status, verdict, cause = refused(events(), "github", github(secret=SHOP))
    assert (status, verdict) == (401, "secret of another source")
    assert cause == "the signature fits the secret of [source:shop]"
    previous = events(previous_secret="whsec_cHJldmlvdXMtb2YtYWxs")
    _, verdict, _ = refused(previous, "slack", slack(secret="whsec_bm90LXRoZS1zZWNyZXQ="))
    assert verdict == "wrong secret"


def test_a_large_body_is_not_tried_in_otherspellings() -> None:
    body = b'{"a":"' + b"x" * explain.LARGEST + b'"}'
    _, verdict, cause = refused(events(), "github", github(body), body + b"\n")
    assert verdict == "wrong secret"
    assert "more than 64 KiB" in cause
    assert len(body) > explain.LARGEST


def test_a_body_that_would_grow_without_end_is_decompressed_to_a_limit() -> None:
    bomb = zlib.compress(b"\0" * (1 << 26))
    assert len(bomb) <= explain.LARGEST
    assert refused(events(), "github", github(BODY), bomb)[:2] == (401, "wrong secret")
    unpacked = dict(explain.spellings(bomb))["decompressed"]
    assert len(unpacked) == explain.LARGEST


def test_a_stranger_cannot_have_more_explained_than_a_few_in_a_minute() -> None:
    dialect = events()
    headers = shop(b'{"a": 1}')
    verdicts = [refused(dialect, "shop", headers, b'{"a":1}')[1:] for _ in range(70)]
    found = [one for one in verdicts if one[0] == "body re-encoded"]
    assert len(found) == explain.A_MINUTE
    assert verdicts[-1] == ("wrong secret", "not looked into: more than 60 in this minute")
