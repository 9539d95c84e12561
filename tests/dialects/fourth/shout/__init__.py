"""A fourth dialect: plain text in, the answer in capitals. A folder and a conf section."""

from tornado_cc.core.call import Call, FunctionCall
from tornado_cc.core.errors import Reason, Refusal
from tornado_cc.core.message import Request, Response
from tornado_cc.core.outcome import SILENCE, Outcome, Reply
from tornado_cc.core.ports import Dialect, Route, Surroundings, Vouched
from tornado_cc.settings import Field, Mount, Settings

TEXT = (("Content-Type", "text/plain"),)


class DialectSettings(Settings):
    """`[dialect:shout]`."""

    mount: Mount = Field("/shout", description="Where it listens.")
    volume: int = Field(1, description="How many exclamation marks.")


class VoiceSettings(Settings):
    """`[voice:NAME]`."""

    function: str = Field(description="The function this voice calls.")


SECTIONS = {"voice": VoiceSettings}


class Shout:
    """`POST {mount}/VOICE` calls the function of that voice with the text."""

    name = "shout"
    max_body = 20
    paths: tuple[str, ...] = ()
    hooks = frozenset({"cloud_function"})
    warnings: tuple[str, ...] = ()

    def __init__(self, settings: DialectSettings, surroundings: Surroundings) -> None:
        self.mount = settings.mount
        self._volume = settings.volume
        self._voices = {name: one.function for name, one in surroundings.sections["voice"].items()}

    def match(self, method: str, path: str) -> Route:
        return Route(f"{self.mount}/{{voice}}", "voice", {"voice": path.rpartition("/")[2]})

    def carries_credentials(self, route: Route, request: Request) -> bool:
        return False

    def masked(self, path: str) -> str:
        return path

    def read(
        self, route: Route, request: Request, vouched: Vouched | None = None
    ) -> Call | Response:
        if request.method == "GET":
            return Response(200, b"SILENCE, PLEASE", TEXT)
        function = self._voices.get(route.params["voice"])
        if function is None:
            raise Refusal("no such voice", reason=Reason.NOT_FOUND)
        return FunctionCall(
            dialect=self.name,
            hook="cloud_function",
            claim=(function,),
            request=request,
            name=function,
            params={"text": request.body.decode()},
        )

    def accept(self, call: Call, value: object) -> object:
        return str(value)

    def write(self, route: Route, call: Call | None, outcome: Outcome) -> Response:
        if outcome is SILENCE:
            return Response(404, b"nobody", TEXT)
        if isinstance(outcome, Reply):
            return Response(200, (str(outcome.value).upper() + "!" * self._volume).encode(), TEXT)
        assert isinstance(outcome, Refusal)
        return Response(400, outcome.message.encode(), TEXT)


def build(settings: DialectSettings, surroundings: Surroundings) -> Dialect:
    """The dialect as its section describes it."""
    return Shout(settings, surroundings)
