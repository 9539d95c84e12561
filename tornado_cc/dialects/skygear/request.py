"""The request and response objects that endpoints are written with."""

from io import BytesIO
from typing import IO

import werkzeug
from werkzeug.utils import redirect

from tornado_cc.core.call import EndpointCall
from tornado_cc.core.message import Request as Received
from tornado_cc.dialects.skygear.environ import environ
from tornado_cc.dialects.skygear.paths import escaped

__all__ = ["Request", "Response", "redirect"]


class Request(werkzeug.Request):
    """Werkzeug's request, with what Werkzeug 3 dropped and documented endpoints read.

    Attributes:
        call: the call, for `request.call.http` and the like.
    """

    charset = "utf-8"
    encoding_errors = "replace"
    # The gate has counted the body already; Werkzeug's own caps would refuse what a conf allows.
    max_form_memory_size = None
    max_form_parts = None  # type: ignore[assignment]
    call: EndpointCall

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Memory, where Werkzeug takes a file on disk: the body is in memory anyway."""
        return BytesIO()


class Response(werkzeug.Response):
    """Werkzeug's response, under the name endpoints know; text/plain unless told otherwise."""


def web_request(received: Received, script_name: str) -> Request:
    """The request object of one call."""
    # Werkzeug decodes UTF-8; a bare byte that is none would stop it.
    path, query = escaped(received.path), escaped(received.query)
    return Request(environ(received._replace(path=path, query=query), script_name))
