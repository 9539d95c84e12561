"""`Spark.getDigester()`: digests and message authentication codes, as texts."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

Spelling = Callable[[bytes], str]


def _hex(digest: bytes) -> str:
    return digest.hex()


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _mac(algorithm: str, spelt: Spelling) -> Callable[[str | bytes, str | bytes], str]:
    def mac(key: str | bytes, value: str | bytes) -> str:
        """The message authentication code of a value with a key."""
        return spelt(hmac.digest(_bytes(key), _bytes(value), algorithm))

    return mac


def _plain(algorithm: str, spelt: Spelling) -> Callable[[str | bytes], str]:
    def digest(data: str | bytes) -> str:
        """The digest of a text."""
        return spelt(hashlib.new(algorithm, _bytes(data), usedforsecurity=False).digest())

    return digest


class SparkDigest:
    """What computes digests. Texts count as UTF-8, hex is in lower case.

    Compare what comes of it with `tornado_cc.Secret(...).matches(...)`, never with `==`: how long
    that takes tells a caller how much of a guess was right.
    """

    __slots__ = ()

    hmacMd5Hex = staticmethod(_mac("md5", _hex))
    hmacMd5Base64 = staticmethod(_mac("md5", _base64))
    hmacSha1Hex = staticmethod(_mac("sha1", _hex))
    hmacSha1Base64 = staticmethod(_mac("sha1", _base64))
    hmacSha256Hex = staticmethod(_mac("sha256", _hex))
    hmacSha256Base64 = staticmethod(_mac("sha256", _base64))
    hmacSha384Hex = staticmethod(_mac("sha384", _hex))
    hmacSha384Base64 = staticmethod(_mac("sha384", _base64))
    hmacSha512Hex = staticmethod(_mac("sha512", _hex))
    hmacSha512Base64 = staticmethod(_mac("sha512", _base64))

    md5Hex = staticmethod(_plain("md5", _hex))
    md5Base64 = staticmethod(_plain("md5", _base64))
    sha1Hex = staticmethod(_plain("sha1", _hex))
    sha1Base64 = staticmethod(_plain("sha1", _base64))
    sha256Hex = staticmethod(_plain("sha256", _hex))
    sha256Base64 = staticmethod(_plain("sha256", _base64))
    sha384Hex = staticmethod(_plain("sha384", _hex))
    sha384Base64 = staticmethod(_plain("sha384", _base64))
    sha512Hex = staticmethod(_plain("sha512", _hex))
    sha512Base64 = staticmethod(_plain("sha512", _base64))

    def hmacSha256HexWithHexKey(self, hexKey: str, value: str | bytes) -> str:
        """The code as hex, with a key that is given as hex. Raises `ValueError` when it is not."""
        return self.hmacSha256Hex(bytes.fromhex(hexKey), value)

    def hmacSha256Base64WithBase64Key(self, base64Key: str, value: str | bytes) -> str:
        """The code as base64, with a key that is given as base64. Raises `ValueError` likewise."""
        return self.hmacSha256Base64(b64decode(base64Key, validate=True), value)
