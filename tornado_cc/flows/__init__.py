"""The order of things: who calls, who is asked, what a refusal stops, what runs after."""

from tornado_cc.flows.afterwards import HOOK, Afterwards
from tornado_cc.flows.attempt import Performs
from tornado_cc.flows.attempts import Attempts
from tornado_cc.flows.carriers import carrier_of
from tornado_cc.flows.deliveries import Deliverer
from tornado_cc.flows.drift import Drift
from tornado_cc.flows.flows import Flows
from tornado_cc.flows.identity import Identities
from tornado_cc.flows.jobs import JOB, CallJobs, Jobs
from tornado_cc.flows.keeping import CallStore
from tornado_cc.flows.lifecycle import start, stop
from tornado_cc.flows.mail import MAIL, CallMail, Mails, unmailable
from tornado_cc.flows.players import PlayerRunner
from tornado_cc.flows.records import Records
from tornado_cc.flows.registration import Registration, declared, unusable
from tornado_cc.flows.retention import Retention
from tornado_cc.flows.schedule import SCHEDULE, BadSchedules, Schedules, schedules_of
from tornado_cc.flows.webhooks import WEBHOOK, CallWebhooks, Webhooks, unsendable

__all__ = [
    "HOOK",
    "JOB",
    "MAIL",
    "SCHEDULE",
    "WEBHOOK",
    "Afterwards",
    "Attempts",
    "BadSchedules",
    "CallJobs",
    "CallMail",
    "CallStore",
    "CallWebhooks",
    "Deliverer",
    "Drift",
    "Flows",
    "Identities",
    "Jobs",
    "Mails",
    "Performs",
    "PlayerRunner",
    "Records",
    "Registration",
    "Retention",
    "Schedules",
    "Webhooks",
    "carrier_of",
    "declared",
    "schedules_of",
    "start",
    "stop",
    "unmailable",
    "unsendable",
    "unusable",
]
