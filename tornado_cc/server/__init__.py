"""The only room that knows Tornado and sockets."""

from tornado_cc.server.app import Server, StartError
from tornado_cc.server.build import Built, build

__all__ = ["Built", "Server", "StartError", "build"]
