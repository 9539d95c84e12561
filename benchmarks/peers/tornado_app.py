"""Stock Tornado: a `RequestHandler` for each scenario on its own `HTTPServer`."""

import asyncio
import sys

import job
from tornado.web import Application, RequestHandler


class Handler(RequestHandler):
    """Answers JSON."""

    def reply(self, body: bytes) -> None:
        """Write the answer."""
        self.set_header("Content-Type", "application/json")
        self.write(body)


class Function(Handler):
    """A cloud function."""

    def post(self) -> None:
        """Answer one webhook."""
        self.reply(job.function(self.request.headers, self.request.body))


class BeforeSave(Handler):
    """A trigger."""

    def post(self) -> None:
        """Answer one webhook."""
        self.reply(job.before_save(self.request.headers, self.request.body))


class Callback(Handler):
    """A callback."""

    def get(self, key: str, secret: str) -> None:
        """Answer one callback."""
        self.reply(job.callback(secret, self.request.query))


class Endpoint(Handler):
    """An endpoint."""

    def get(self) -> None:
        """Answer one request."""
        self.reply(job.endpoint(self.request.headers, self.request.query))


async def main() -> None:
    """Serve until killed, without an access log."""
    routes = [
        (job.FUNCTION, Function),
        (job.BEFORE_SAVE, BeforeSave),
        (job.CALLBACK.format(key="([^/]+)", secret="([^/]+)"), Callback),
        (job.ENDPOINT, Endpoint),
    ]
    application = Application(routes, log_function=lambda handler: None)
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
