"""What an operator is told at the start: of scripts and credentials that no URL leads to."""

from tornado_cc.core.ports import Claims, Surroundings
from tornado_cc.core.secret import Secret
from tornado_cc.dialects.gamesparks import CredentialSettings, DialectSettings, build


def warned(*served: str, **credentials: bool) -> tuple[str, ...]:
    """The warnings when plugins serve these credentials and the conf has those, on or off."""
    sections = {
        name: CredentialSettings(secret=Secret("C1"), callbacks=on)
        for name, on in credentials.items()
    }
    claims = Claims({"on_callback": [(name,) for name in served]})
    surroundings = Surroundings(claims, sections={"credential": sections})
    return build(DialectSettings(server_secret=Secret("SEC")), surroundings).warnings


def test_nothing_is_said_of_credentials_that_are_served() -> None:
    assert warned("*", "server", "cb1", cb1=True, unused=True) == ()


def test_a_script_whose_credential_is_missing_or_off_is_told_of() -> None:
    assert warned("cb1", "pl1", pl1=False) == (
        "a plugin serves the credential cb1, but [credential:cb1] is missing",
        "a plugin serves the credential pl1, but [credential:pl1] is off",
    )


def test_a_section_that_would_take_the_default_callback_over_counts_for_nothing() -> None:
    (warning,) = warned(server=True)
    assert warning == "[credential:server] counts for nothing: its secret is server_secret"
