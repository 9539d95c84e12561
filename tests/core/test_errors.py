"""How a call ends badly: what the caller sees and what the log sees."""

import pytest

from tornado_cc.core.errors import Failure, Reason, Refusal


def test_the_caller_reads_the_message() -> None:
    refusal = Refusal("You cannot give more than 5 stars")
    assert refusal.message == "You cannot give more than 5 stars"
    assert str(refusal) == refusal.message
    assert refusal.reason is Reason.REFUSED


@pytest.mark.parametrize("message", ["", " ", "\n\t"])
def test_an_empty_message_becomes_refused(message: str) -> None:
    assert Refusal(message).message == "Refused"


def test_a_message_that_is_no_text_becomes_one() -> None:
    assert Refusal(ValueError("too long")).message == "too long"  # type: ignore[arg-type]


def test_what_only_the_log_says_is_not_in_the_message() -> None:
    refusal = Refusal("Not found", code=101, log="CANARY", reason=Reason.NOT_FOUND)
    assert "CANARY" not in refusal.message + str(refusal)
    assert (refusal.code, refusal.log) == (101, "CANARY")


def test_a_failure_tells_the_caller_an_id_and_the_log_the_rest() -> None:
    failure = Failure("the database is gone")
    assert failure.message == f"internal error (id {failure.error_id})"
    assert "database" not in failure.message + str(failure)
    assert failure.log == "the database is gone"
    assert failure.reason is Reason.FAILED
    assert failure.timed_out is False


def test_every_failure_has_an_id_of_its_own() -> None:
    assert len({Failure("x").error_id for _ in range(100)}) == 100


def test_a_failure_is_a_refusal_so_that_every_dialect_can_spell_it() -> None:
    assert isinstance(Failure("x", timed_out=True), Refusal)
