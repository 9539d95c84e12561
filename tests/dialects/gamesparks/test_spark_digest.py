"""Row 92: digests, by the vectors that were published and by the standard library."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.gamesparks.test_spark import callback
from tornado_cc.gamesparks import Spark, SparkDigest

DIGEST = Spark(callback()).getDigester()
ALGORITHMS = ["md5", "sha1", "sha256", "sha384", "sha512"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# RFC 4231 (test cases 1 and 2), RFC 2202 (the same for MD5 and SHA-1), FIPS 180 and RFC 1321.
KEY_1, DATA_1 = "\x0b" * 20, "Hi There"
KEY_2, DATA_2 = "Jefe", "what do ya want for nothing?"
MACS = [
    ("hmacMd5Hex", "\x0b" * 16, DATA_1, "9294727a3638bb1c13f48ef8158bfc9d"),
    ("hmacMd5Hex", KEY_2, DATA_2, "750c783e6ab0b503eaa86e310a5db738"),
    ("hmacSha1Hex", KEY_1, DATA_1, "b617318655057264e28bc0b6fb378c8ef146be00"),
    ("hmacSha1Hex", KEY_2, DATA_2, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    (
        "hmacSha256Hex",
        KEY_1,
        DATA_1,
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        "hmacSha256Hex",
        KEY_2,
        DATA_2,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        "hmacSha384Hex",
        KEY_2,
        DATA_2,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
        "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    ),
    (
        "hmacSha512Hex",
        KEY_2,
        DATA_2,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
]
PLAIN = [
    ("md5Hex", "abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("sha1Hex", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("sha256Hex", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        "sha384Hex",
        "abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
        "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        "sha512Hex",
        "abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
]


@pytest.mark.parametrize(("name", "key", "value", "code"), MACS)
def test_row_92_codes_are_those_of_the_standards(
    name: str, key: str, value: str, code: str
) -> None:
    assert getattr(DIGEST, name)(key, value) == code
    spelt = base64.b64encode(bytes.fromhex(code)).decode()
    assert getattr(DIGEST, name.replace("Hex", "Base64"))(key, value) == spelt


@pytest.mark.parametrize(("name", "value", "digest"), PLAIN)
def test_row_92_digests_are_those_of_the_standards(name: str, value: str, digest: str) -> None:
    assert getattr(DIGEST, name)(value) == digest
    spelt = base64.b64encode(bytes.fromhex(digest)).decode()
    assert getattr(DIGEST, name.replace("Hex", "Base64"))(value) == spelt


@given(st.sampled_from(ALGORITHMS), TEXT, TEXT)
def test_row_92_texts_count_as_utf_8(algorithm: str, key: str, value: str) -> None:
    name = algorithm.capitalize()
    code = hmac.digest(key.encode(), value.encode(), algorithm)
    assert getattr(DIGEST, f"hmac{name}Hex")(key, value) == code.hex()
    assert base64.b64decode(getattr(DIGEST, f"hmac{name}Base64")(key, value)) == code
    digest = hashlib.new(algorithm, value.encode()).digest()
    assert getattr(DIGEST, f"{algorithm}Hex")(value) == digest.hex()
    assert base64.b64decode(getattr(DIGEST, f"{algorithm}Base64")(value)) == digest


@given(st.binary(), st.binary())
def test_keys_and_values_may_be_bytes(key: bytes, value: bytes) -> None:
    code = hmac.digest(key, value, "sha256")
    assert DIGEST.hmacSha256Hex(key, value) == code.hex()
    assert DIGEST.hmacSha256HexWithHexKey(key.hex(), value) == code.hex()
    spelt = base64.b64encode(key).decode()
    assert base64.b64decode(DIGEST.hmacSha256Base64WithBase64Key(spelt, value)) == code


def test_a_key_that_is_not_spelt_as_it_should_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="non-hexadecimal"):
        DIGEST.hmacSha256HexWithHexKey("xyz", "a")
    with pytest.raises(ValueError, match=r"[Oo]nly base64|padding"):
        DIGEST.hmacSha256Base64WithBase64Key("!", "a")


def test_there_are_no_others() -> None:
    names = {one for one in dir(SparkDigest) if not one.startswith("_")}
    forms = {f"{one}{form}" for one in ALGORITHMS for form in ("Hex", "Base64")}
    macs = {f"hmac{one[0].upper()}{one[1:]}" for one in forms}
    with_keys = {"hmacSha256HexWithHexKey", "hmacSha256Base64WithBase64Key"}
    assert names == forms | macs | with_keys
