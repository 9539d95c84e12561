"""The request after a redirect."""

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from tornado_cc.outbound.address import check_url, place_of
from tornado_cc.outbound.errors import TooManyRedirects
from tornado_cc.outbound.request import Prepared

STATUSES = frozenset({301, 302, 303, 307, 308})
"""The answers that lead elsewhere."""


def redirected(prepared: Prepared, status: int, location: str) -> Prepared:
    """The request after a redirect; to another origin goes nothing that the caller gave.

    Raises:
        TooManyRedirects: the address makes no sense, or is not encrypted while this one was.
    """
    target = _target(prepared.url, location)
    before, after = _origin(prepared.url), _origin(target)
    if (before[0], after[0]) == ("https", "http"):
        raise TooManyRedirects("a redirect from https to http", prepared.url)
    method = prepared.method
    to_get = method == "POST" if status in (301, 302) else status == 303 and method != "HEAD"
    moved = replace(prepared, url=target, method="GET" if to_get else method)
    if before != after:
        # Who answered may send it to anybody, and it was meant for who was asked.
        return replace(moved, headers=(), body=None)
    if not to_get:
        return moved
    headers = [one for one in prepared.headers if not one[0].lower().startswith("content-")]
    return replace(moved, headers=tuple(headers), body=None)


def _origin(url: str) -> tuple[str, str, int]:
    return urlsplit(url).scheme, *place_of(url)


def _target(url: str, location: str) -> str:
    try:
        return check_url(urljoin(url, location))[0]
    except UnicodeEncodeError:
        problem = "it is no UTF-8"
    except ValueError:
        # The words of the standard library would repeat the address.
        problem = "it is not an address we may reach"
    raise TooManyRedirects(f"a redirect that leads nowhere: {problem}", url)
