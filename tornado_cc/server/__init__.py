"""The only room that knows Tornado and sockets."""

from tornado_cc.server.app import Server
from tornado_cc.server.build import Built, build
from tornado_cc.server.runtime import StartError

__all__ = ["Built", "Server", "StartError", "build"]
