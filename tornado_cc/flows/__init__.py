"""The order of things: who is asked, what a refusal stops, what runs after the answer."""

from tornado_cc.flows.afterwards import Afterwards
from tornado_cc.flows.flows import Flows
from tornado_cc.flows.lifecycle import start, stop

__all__ = ["Afterwards", "Flows", "start", "stop"]
