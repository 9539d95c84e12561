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
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    given = parser.parse_args(arguments)
    url = urlsplit(given.url)
    headers = dict(header.split(": ", 1) for header in given.headers)
    method = given.method or ("GET" if given.body is None else "POST")
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request(method, url.path, given.body, headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
