"""How a call ends: with a reply, a refusal, or in silence because nobody was there to answer."""

from dataclasses import dataclass, field
from enum import Enum

from tornado_cc.core.errors import Refusal


@dataclass(slots=True)
class Reply:
    """Somebody answered.

    `value` is what a function returned; of a before-chain it is the object as the chain left it,
    of a find trigger the list of objects. `None` is an answer too.
    """

    value: object = field(default=None, repr=False)


class Silence(Enum):
    """No plugin was asked, or none took the call for its own."""

    SILENCE = "silence"


SILENCE = Silence.SILENCE

Outcome = Reply | Refusal | Silence
