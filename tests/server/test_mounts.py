"""Which dialect a path belongs to: the longest mount of the path as sent and as cleaned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.message import Response
from tornado_cc.core.ports import Claims, Dialect, Surroundings
from tornado_cc.dialects.parse import DialectSettings, build
from tornado_cc.server.mounts import Mounts, OwnPaths


def dialect(mount: str) -> Dialect:
    return build(DialectSettings(mount=mount), Surroundings(Claims({})))


def mounts(*at: str) -> Mounts:
    pages = {"/healthz": lambda: Response(200, b"")}
    return Mounts([dialect(mount) for mount in at], OwnPaths(pages), tuple(pages))


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/api", "/api"),
        ("/api/x", "/api"),
        ("/apix", "/"),
        ("/", "/"),
        ("*", "/"),
        ("/api/webhooks/x", "/api/webhooks"),
        ("/api/x/../webhooks/x", "/api/webhooks"),
        ("/api/%77ebhooks", "/api/webhooks"),
        ("//api/x", "/api"),
        ("/x/../api/x", "/api"),
        ("/api/webhooks/../x", "/api/webhooks"),
        ("/healthz", ""),
        ("/%68ealthz", ""),
        ("/healthz/x", "/"),
    ],
)
def test_a_path_belongs_to_the_longest_mount_it_could_mean(path: str, mount: str) -> None:
    assert mounts("/", "/api", "/api/webhooks").find(path).mount == mount


@given(st.text(st.characters(codec="latin-1")))
def test_every_path_belongs_to_somebody(path: str) -> None:
    assert mounts("/api").find(path).mount in ("", "/api")
