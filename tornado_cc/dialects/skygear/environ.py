"""A request as Werkzeug reads it: its WSGI environment."""

from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado_cc.core.message import Request


def environ(request: Request, script_name: str = "") -> dict[str, Any]:
    """The WSGI environment of a request.

    Of a header sent twice the last value counts, as in the original (spec skygear, section 3).

    Args:
        request: as received.
        script_name: the mount, which is no part of the path an endpoint sees.
    """
    host = request.headers.get_all("host")[-1:] or ("localhost",)
    name, _, port = host[0].partition(":")
    found: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": script_name,
        # WSGI carries the path's bytes as Latin-1.
        "PATH_INFO": unquote_to_bytes(request.path[len(script_name) :]).decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": name,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.remote,
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": "",
        "wsgi.input": BytesIO(request.body),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for header in request.headers:
        if "_" in header:
            # It would pass for the header of that name with dashes, which a proxy may vouch for.
            continue
        value = request.headers.get_all(header)[-1]
        if header == "content-type":
            found["CONTENT_TYPE"] = value
        elif header not in ("content-length", "transfer-encoding"):
            found[f"HTTP_{header.upper().replace('-', '_')}"] = value
    return found
