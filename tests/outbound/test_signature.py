"""What is sent is signed as Standard Webhooks has it, and as its own library verifies."""

import base64
import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tornado_cc.core.secret import Secret
from tornado_cc.outbound import signature

ID, BODY = "01JDK3V5Y8ZQ0M6T2W9X4C7B1A", b'{"n":1}'


def whsec(key: bytes) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


def test_the_signature_is_the_published_one() -> None:
    # Of the tests of the standard's own libraries.
    key = signature.key_of(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    signed = signature.signature(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(key=st.binary(min_size=1, max_size=64), body=st.text(st.characters(codec="utf-8")))
def test_the_library_of_the_standard_verifies_what_is_signed(key: bytes, body: str) -> None:
    headers = signature.headers(ID, body.encode(), Secret(whsec(key)))
    Webhook(whsec(key)).verify(body, headers, json_parse=False)


def test_the_signature_is_what_the_standard_says_in_words() -> None:
    key = os.urandom(24)
    headers = signature.headers(ID, BODY, Secret(whsec(key)))
    content = b".".join([ID.encode(), headers["webhook-timestamp"].encode(), BODY])
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert headers["webhook-id"] == ID


def test_a_key_may_come_without_its_padding() -> None:
    key = b"a key of 25 bytes, no more"
    assert signature.key_of(Secret(whsec(key).rstrip("="))) == key


@pytest.mark.parametrize("text", ["any text", "ümläut", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_any_other_text_is_a_key_by_its_bytes(text: str) -> None:
    headers = signature.headers(ID, BODY, Secret(text))
    Webhook(text.encode()).verify(BODY, headers)


@pytest.mark.parametrize("text", ["whsec_", "whsec_a#b", "whsec_ümläut", "whsec_abcde"])
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as refused:
        signature.key_of(Secret(text))
    assert str(refused.value) in (
        "what follows whsec_ is not base64",
        "nothing follows whsec_",
    )


@pytest.mark.parametrize("secret", [None, Secret("")])
def test_without_a_secret_nothing_is_signed(secret: Secret | None) -> None:
    assert set(signature.headers(ID, BODY, secret)) == {"webhook-id", "webhook-timestamp"}
