"""The requests that are measured, and what each answer holds."""

from dataclasses import dataclass, field, replace

# Longer than the hook lets it be, so that there is a changed object to answer with.
COMMENT = "An hour and a half of rain, and not one dull minute in it. " * 4

_AGENT = {"Accept": "*/*", "User-Agent": "benchmark/1.0"}
_PARSE = {
    **_AGENT,
    "Content-Type": "application/json",
    "X-Parse-Webhook-Key": "benchmark-key",
}

# What wrk has no name for: microseconds, and one figure for all that may go wrong.
_LUA = """
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("measured %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""

# As a proxy that numbers what it passes on.
_NUMBERED = """
local number = 0
function request()
  number = number + 1
  wrk.headers["X-Request-Id"] = number
  return wrk.format()
end
"""


@dataclass(frozen=True)
class Scenario:
    """One request, sent again and again.

    Attributes:
        expected: what a right answer holds.
        is_numbered: whether no head comes a second time.
    """

    name: str
    method: str
    target: str
    expected: bytes
    headers: dict[str, str] = field(default_factory=lambda: _AGENT)
    body: str = ""
    is_numbered: bool = False

    def lua(self) -> str:
        """The script with which wrk sends it; it prints what wrk has measured."""
        lines = [f"wrk.headers[ [[{name}]] ] = [[{it}]]" for name, it in self.headers.items()]
        request = f"wrk.method = [[{self.method}]]\nwrk.body = [[{self.body}]]\n"
        return request + "\n".join(lines) + (_NUMBERED if self.is_numbered else "") + _LUA


_FUNCTION = Scenario(
    "function webhook",
    "POST",
    "/webhooks/functions/hello",
    b"Hello World!",
    _PARSE,
    '{"params":{"a":1},"master":false,"functionName":"hello","context":{}}',
)

SCENARIOS = (
    _FUNCTION,
    Scenario(
        "before_save, changed",
        "POST",
        "/webhooks/triggers/Review/beforeSave",
        COMMENT[:137].encode() + b"...",
        _PARSE,
        '{"triggerName":"beforeSave","master":false,"object":{"className":"Review",'
        f'"comment":"{COMMENT}","stars":5,"author":"somebody"}},"context":{{}}}}',
    ),
    Scenario(
        "GameSparks callback",
        "GET",
        "/callback/benchmark-game/bench/benchmark-secret/?attr1=abc&attr2=bcd&attr2=cde",
        b'["bcd","cde"]',
    ),
    Scenario(
        "Skygear endpoint",
        "GET",
        "/query?key=month&value=10",
        b"month",
        {**_AGENT, "X-Skygear-API-Key": "benchmark-api-key"},
    ),
    replace(_FUNCTION, name="function webhook, no head twice", is_numbered=True),
)
