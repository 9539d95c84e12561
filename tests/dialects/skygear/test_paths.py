"""Routing: every path leads somewhere, in one redirect at most, as Go's ServeMux would have it."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tornado_cc.core.message import Headers, Request, Response
from tornado_cc.core.ports import Claims, Route, Surroundings
from tornado_cc.dialects.skygear import DialectSettings, build
from tornado_cc.dialects.skygear.paths import Table

NAMES = [
    "/foo",
    "/tree/",
    "/abc/",
    "/abc/def",
    "/xyz",
    "/xyz/",
    "/deep/er",
    "/你/",
    "/a%b",
    "/a/b/",
]
WORDS = ["foo", "tree", "abc", "def", "xyz", "deep", "er", "a", "b", "%E4%BD%A0", "a%25b", "fo%6F"]
ODD = ["", ".", "..", "%2e", "%2E%2e", "%2F", "%252F", "%00", "%ff", "%", "?", "\x00", "\xe4", "你"]
PARTS = st.sampled_from([*WORDS, *ODD]) | st.text(max_size=3)
PATHS = st.lists(PARTS, max_size=6).map(lambda parts: "/" + "/".join(parts)) | st.text(max_size=20)
METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "PATCH"]) | st.text(max_size=5)
MOUNTS = st.sampled_from(["/", "/api", "/a[b]", "/tree"])
CLAIMS = Claims({"http_endpoint": [(name, method) for name in NAMES for method in ("GET", "POST")]})


def model(patterns: list[str], path: str) -> tuple[str, str | None]:
    """What Go's ServeMux does with a decoded path: (`301`, where to) or (`serve`, by whom)."""
    clean = go_clean_path(path)
    if clean not in patterns and clean + "/" in patterns:
        return "301", clean + "/"
    if clean != path:
        return "301", clean
    matching = [
        pattern
        for pattern in patterns
        if pattern == path or (pattern.endswith("/") and path.startswith(pattern))
    ]
    return "serve", max(matching, key=len, default=None)


def go_clean_path(path: str) -> str:
    """net/http's cleanPath, by the textual rules of Go's path.Clean."""
    clean = "/" + path
    for pattern, instead in ((r"/+", "/"), (r"(/\.)+(?=/|\Z)", ""), (r"/+", "/")):
        clean = re.sub(pattern, instead, clean)
    while (shorter := re.sub(r"(\A|/(?!\.\./)[^/]+)/\.\.(?=/|\Z)", "", clean, count=1)) != clean:
        clean = shorter
    clean = clean.rstrip("/") or "/"
    return clean + "/" if path.endswith("/") and clean != "/" else clean


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("", "/"),
        ("foo", "/foo"),
        ("//foo", "/foo"),
        ("/./foo", "/foo"),
        ("/tree/../foo", "/foo"),
        ("/../../foo", "/foo"),
        ("/foo/.", "/foo"),
        ("/foo/..", "/"),
        ("/foo/../", "/"),
        ("/foo//", "/foo/"),
        ("/foo/.../..", "/foo"),
    ],
)
def test_the_model_cleans_as_go_does(path: str, clean: str) -> None:
    assert go_clean_path(path) == clean


@given(PATHS)
@example("/foo\x00bar")
@example("//tree")
def test_a_path_leads_where_go_would_lead_it(path: str) -> None:
    found = Table(NAMES).resolve(path)
    decoded = unquote(path.encode("latin-1", "replace"))
    expected = model(NAMES, decoded or "/")
    assert expected == (("301", found.path) if found.moved else ("serve", found.pattern))


DIALECTS = {
    mount: build(DialectSettings(mount=mount), Surroundings(CLAIMS))
    for mount in ("/", "/api", "/a[b]", "/tree")
}


@given(MOUNTS, METHODS, PATHS, st.text(max_size=8))
def test_a_redirect_leads_below_the_mount_to_a_path_that_stays(
    mount: str, method: str, path: str, query: str
) -> None:
    dialect = DIALECTS[mount]
    path = mount.rstrip("/") + path
    route = dialect.match(method, path)
    if route.kind != "redirect":
        return
    answer = dialect.read(route, Request(method, path, query, Headers(), b""))
    assert isinstance(answer, Response)
    target = dict(answer.headers)["Location"]
    assert target.isascii()
    assert target.startswith(mount)
    assert not target.startswith("//")
    assert dialect.match("GET", target.partition("?")[0]).kind != "redirect"


@given(MOUNTS, METHODS, PATHS)
def test_no_path_and_no_method_is_too_odd_to_be_routed(mount: str, method: str, path: str) -> None:
    route = DIALECTS[mount].match(method, path)
    assert route.kind in ("preflight", "redirect", "method", "endpoint", "unmatched")
    known = [mount.rstrip("/") + name for name in NAMES]
    own = [f"{mount} (redirect)", f"{mount} (preflight)", "unmatched"]
    assert route.template in [*known, *own], "the template holds nothing of the caller's"


@given(st.sampled_from(["/api", "//api", "/%61pi", "/./api", "/x/../api"]), PATHS)
def test_a_mount_in_another_spelling_is_redirected_to_its_own(mount: str, path: str) -> None:
    dialect = DIALECTS["/api"]
    route = dialect.match("GET", f"{mount}{path}")
    if not path.startswith("/") or mount == "/api" or ".." in unquote(path):
        return
    assert route.kind == "redirect"
    plain: Route = dialect.match("GET", f"/api{path}")
    expected = plain.params["to"] if plain.kind == "redirect" else None
    assert expected in (None, route.params["to"])
