"""The command line. Owns click and rich."""

from tornado_cc.cli.main import main

__all__ = ["main"]
