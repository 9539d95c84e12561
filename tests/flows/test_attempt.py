"""What becomes of a delivery after an attempt."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado_cc.core.errors import Failure, Reason, Refusal
from tornado_cc.core.redact import MASK, Redactor
from tornado_cc.flows.attempt import Attempt, Policy, given_back, is_suspect, of_refusal
from tornado_cc.settings import DeliveriesSettings
from tornado_cc.store.outbox import Claimed

FAILED = Attempt(error="broken")
LOST = "the worker ended during this attempt"


def policy(**settings: Any) -> Policy:
    return Policy(DeliveriesSettings(**settings))


def claimed(attempts: int = 1, failures: list[dict[str, Any]] | None = None) -> Claimed:
    return Claimed(
        number=1,
        id="D",
        kind="hook",
        plugin="p",
        target="t",
        lane=None,
        payload="{}",
        request_id=None,
        attempts=attempts,
        created_at=0,
        failures=failures or [],
    )


def test_one_that_went_well_is_done() -> None:
    end = policy().end(claimed(), Attempt(version="1.2"))
    assert (end.state, end.failures, end.version) == ("done", [], "1.2")


def test_the_waits_are_those_of_the_settings_and_then_it_is_dead() -> None:
    waits = []
    one = claimed()
    while (end := policy(jitter=0).end(one, FAILED)).state == "ready":
        waits.append(end.delay)
        one = replace(one, attempts=one.attempts + 1, failures=end.failures)
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert end.state == "dead"
    assert [(failure["attempt"], failure["error"]) for failure in end.failures] == [
        (number, "broken") for number in range(1, 11)
    ]


@given(jitter=st.integers(0, 100), attempts=st.integers(1, 9))
def test_a_wait_strays_from_its_setting_by_no_more_than_the_jitter(
    jitter: int, attempts: int
) -> None:
    exact = policy(jitter=0).end(claimed(attempts), FAILED).delay
    waits = {policy(jitter=jitter).end(claimed(attempts), FAILED).delay for _ in range(5)}
    assert all(abs(wait - exact) <= exact * jitter / 100 + 1e-6 for wait in waits)
    assert len(waits) == (1 if jitter == 0 else 5)


@pytest.mark.parametrize(("asked", "waited"), [(0, 0), (77, 77), (10**9, 86_400)])
def test_a_hook_that_says_when_it_wants_to_be_tried_again_is_heard(asked: int, waited: int) -> None:
    end = policy().end(claimed(), replace(FAILED, retry_after=asked))
    assert (end.state, end.delay) == ("ready", waited)


@pytest.mark.parametrize(
    ("within", "state"), [(4.9, "dead"), (5, "dead"), (5.1, "ready"), (0, "dead")]
)
def test_one_that_would_be_tried_again_too_late_is_dead(within: float, state: str) -> None:
    end = policy(jitter=0).end(claimed(), replace(FAILED, retry_within=within))
    assert end.state == state
    assert [one["error"] for one in end.failures] == ["broken"]


@pytest.mark.parametrize(("asked", "waited"), [(0, 1800), (77, 1800), (7000, 7000)])
def test_a_receiver_is_left_alone_for_at_least_as_long_as_it_asks(asked: int, waited: int) -> None:
    end = policy(jitter=0).end(claimed(3), replace(FAILED, not_before=asked))
    assert end.delay == waited


def test_no_word_of_when_to_come_back_makes_more_attempts_of_it() -> None:
    end = policy(retry="1s").end(claimed(2), replace(FAILED, retry_after=1))
    assert end.state == "dead"


def test_an_attempt_whose_worker_ended_is_noted_and_the_next_made_at_once() -> None:
    noted, is_to_run = policy().lost(claimed(2))
    assert is_to_run
    assert not is_suspect(noted)
    assert [(one["attempt"], one["error"]) for one in noted.failures] == [(1, LOST)]


def test_one_whose_workers_ended_twice_is_run_as_a_suspect() -> None:
    noted, is_to_run = policy().lost(claimed(3))
    assert is_to_run
    assert is_suspect(noted)
    assert [one["attempt"] for one in noted.failures] == [1, 2]
    failed_before = policy().end(claimed(), FAILED).failures
    assert is_suspect(policy().lost(claimed(3, failed_before))[0])
    assert not is_suspect(claimed(3, policy().end(claimed(2), FAILED).failures))


def test_one_that_took_three_workers_with_it_waits_its_turn() -> None:
    noted, is_to_run = policy(jitter=0).lost(claimed(4))
    assert not is_to_run
    end = policy(jitter=0).postponed(noted)
    assert (end.state, end.delay) == ("ready", 7200)
    # The attempt that was not made is a failed one: the next runs.
    assert policy().lost(claimed(5, end.failures))[1]
    assert not policy().lost(claimed(6, end.failures))[1]


def test_one_that_takes_every_worker_with_it_ends_as_a_dead_letter() -> None:
    settings = policy(retry="1s, 1s, 1s, 1s, 1s", jitter=0)
    one, runs, state = claimed(), 0, "ready"
    while state == "ready":
        noted, is_to_run = settings.lost(one)
        runs += is_to_run
        if not is_to_run:
            # Only the end of an attempt is kept, and with it what was noted.
            end = settings.postponed(noted)
            one, state = replace(one, failures=end.failures), end.state
        one = replace(one, attempts=one.attempts + 1)
    assert (state, runs) == ("dead", 4)
    errors = [failure["error"] for failure in one.failures]
    assert errors == [LOST, LOST, LOST, errors[3], LOST, errors[3]]


def test_a_failed_attempt_is_none_whose_worker_ended() -> None:
    one = claimed(2, policy().end(claimed(), FAILED).failures)
    assert policy().lost(one) == (one, True)


def test_one_that_was_redriven_is_none_either() -> None:
    one = claimed(1, [{"attempt": 10, "at": "", "error": "broken"}])
    assert policy().lost(one) == (one, True)


def test_one_that_is_given_back_runs_at_once_and_its_worker_was_not_lost() -> None:
    end = given_back(claimed())
    assert (end.state, end.delay) == ("ready", 0)
    one = claimed(2, end.failures)
    assert policy().lost(one) == (one, True)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (None, None),
        (Refusal("Too late"), None),
        (Refusal("Later", retry_after=5), "Later"),
        (Refusal("Away", reason=Reason.UNAVAILABLE, log="no route"), "no route"),
        (Failure("passed its deadline of 10 s", timed_out=True), "passed its deadline of 10 s"),
        (Failure("raised ValueError", error=ValueError("x" * 2000)), None),
    ],
)
def test_only_an_opinion_that_comes_too_late_is_no_failure(
    refusal: Refusal | None, error: str | None
) -> None:
    attempt = of_refusal(refusal, "1", Redactor())
    if isinstance(refusal, Failure) and refusal.error is not None:
        assert attempt.error is not None
        assert attempt.error.startswith("raised ValueError: xxx")
        assert len(attempt.error) == 1000
        assert attempt.error_id == refusal.error_id
    else:
        assert attempt.error == error


def test_what_is_noted_of_a_failure_holds_no_secret() -> None:
    failure = Failure("raised ValueError", error=ValueError("key s3cret-key, r:" + "a" * 32))
    attempt = of_refusal(failure, "", Redactor(["s3cret-key"]))
    assert attempt.error == f"raised ValueError: key {MASK}, {MASK}"
