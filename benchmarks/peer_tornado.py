"""The peer: the same webhook, answered by a stock Tornado `RequestHandler` and nothing else."""

import asyncio
import hmac
import sys

import orjson
from tornado.web import Application, RequestHandler

KEY = b"benchmark-key"


class Hello(RequestHandler):
    """Checks the key, parses the body, answers as the function helloWorld does."""

    def post(self) -> None:
        """Answer one webhook."""
        key = self.request.headers.get("X-Parse-Webhook-Key", "").encode()
        if not hmac.compare_digest(key, KEY):
            self.write(orjson.dumps({"error": "Request Unauthorized"}))
            return
        orjson.loads(self.request.body)
        self.set_header("Content-Type", "application/json")
        self.write(orjson.dumps({"success": "Hello World!"}))


async def main() -> None:
    """Serve until killed, without an access log."""
    application = Application(
        [("/webhooks/functions/helloWorld", Hello)], log_function=lambda handler: None
    )
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
