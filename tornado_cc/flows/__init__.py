"""The order of things: who calls, who is asked, what a refusal stops, what runs after."""

from tornado_cc.flows.afterwards import Afterwards
from tornado_cc.flows.attempts import Attempts
from tornado_cc.flows.flows import Flows
from tornado_cc.flows.identity import Identities
from tornado_cc.flows.keeping import CallStore
from tornado_cc.flows.lifecycle import start, stop
from tornado_cc.flows.players import PlayerRunner
from tornado_cc.flows.records import Records

__all__ = [
    "Afterwards",
    "Attempts",
    "CallStore",
    "Flows",
    "Identities",
    "PlayerRunner",
    "Records",
    "start",
    "stop",
]
