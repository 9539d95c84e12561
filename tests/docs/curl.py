"""What the pages use of curl, for machines that have none."""

import argparse
import http.client
from collections.abc import Sequence
from urllib.parse import urlsplit


def curl(arguments: Sequence[str]) -> str:
    """Make one request, and give back what curl would print. Blocks."""
    parser = argparse.ArgumentParser("curl")
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true", dest="with_head")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    given = parser.parse_args(arguments)
    url = urlsplit(given.url)
    headers = dict(header.split(": ", 1) for header in given.headers)
    if given.body is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    method = given.method or ("GET" if given.body is None else "POST")
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request(method, url._replace(scheme="", netloc="").geturl(), given.body, headers)
        response = connection.getresponse()
        body = response.read().decode()
        if not given.with_head:
            return body
        lines = [f"HTTP/1.1 {response.status} {response.reason}"]
        lines += [f"{name}: {value}" for name, value in response.getheaders()]
        return "\r\n".join([*lines, "", body])
    finally:
        connection.close()
