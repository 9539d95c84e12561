"""Jobs and schedules as plugins declare them."""

import functools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hooks.test_loading import GOOD, causes, claims, load_files
from tornado_cc.hooks import Plugin
from tornado_cc.hooks.schedules import Every, When, every, name_of

DAY = 86_400_000


async def function(call: object) -> None: ...


def declared(*whens: When, name: str | None = None) -> list[tuple[tuple[str, ...], Every]]:
    plugin = Plugin("mine")
    for when in whens:
        plugin.every(when, name)(function)
    return [(one.claim, one.options["every"]) for one in plugin.declarations]


@pytest.mark.parametrize(
    ("when", "milliseconds"),
    [
        (1, 1000),
        (30, 30_000),
        (1.5, 1500),
        (timedelta(minutes=5), 300_000),
        (timedelta(days=365), 365 * DAY),
        ("minute", 60_000),
        ("hour", 3_600_000),
        ("day", DAY),
        ("@hourly", 3_600_000),
        ("@daily", DAY),
        ("@midnight", DAY),
        ("@every 1m30s", 90_000),
        ("@every 1.5h", 5_400_000),
        ("@every 1h0m0.5s", 3_600_500),
        ("@every 1500ms", 1500),
        ("  @every   2s ", 2000),
    ],
)
def test_an_interval_may_be_spelt_in_many_ways(when: When, milliseconds: int) -> None:
    found = every(when)
    assert (found.interval, found.cron) == (milliseconds, "")


@pytest.mark.parametrize(
    ("when", "cron"),
    [
        ("*/5 * * * *", "0 */5 * * * *"),
        ("30 */5 * * * *", "30 */5 * * * *"),
        ("0 9-17 * * MON-FRI", "0 0 9-17 * * MON-FRI"),
        ("0 0 ? * 1", "0 0 0 * * 1"),
        ("0 0 1 1 ?", "0 0 0 1 1 *"),
        ("0\t0  1 * *", "0 0 0 1 * *"),
        ("@weekly", "0 0 0 * * 0"),
        ("@monthly", "0 0 0 1 * *"),
        ("@yearly", "0 0 0 1 1 *"),
        ("@annually", "0 0 0 1 1 *"),
    ],
)
def test_a_cron_expression_has_five_fields_or_six_with_the_seconds_first(
    when: str, cron: str
) -> None:
    found = every(when)
    assert (found.interval, found.cron) == (0, cron)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (30, "30 s"),
        (timedelta(minutes=1.5), "90 s"),
        ("day", "day"),
        ("@daily", "daily"),
        ("@every 1m30s", "1m30s"),
        ("*/5  * * * *", "*/5 * * * *"),
    ],
)
def test_a_schedule_is_told_of_as_it_was_written(when: When, text: str) -> None:
    assert every(when).text == text


@pytest.mark.parametrize(
    "when",
    [
        *(0, -1, 0.999, 1e300, 10**400, float("nan"), timedelta(0), timedelta(days=366)),
        *("@every 10ms", "@every 0s", f"@every {'9' * 400}h"),
    ],
)
def test_an_interval_is_neither_shorter_than_a_second_nor_longer_than_a_year(when: Any) -> None:
    with pytest.raises(ValueError, match="every second at most and every 365 days at least"):
        every(when)


@pytest.mark.parametrize(
    "when",
    [
        *("", "week", "every day", "@reboot", "@every", "@every 5", "@every 5 m", "@every 1d"),
        *("* * * *", "* * * * * * *", "*/5 * * * ;", "TZ=UTC * * * * *", "a" * 10_000),
    ],
)
def test_words_that_make_no_sense_are_refused_with_those_that_do(when: str) -> None:
    with pytest.raises(ValueError, match='cron expression such as "\\*/5') as raised:
        every(when)
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("when", [None, True, [5], b"day", function])
def test_what_is_no_time_at_all_is_refused_with_what_is(when: Any) -> None:
    with pytest.raises(TypeError, match=r"@plugin\.every takes seconds such as 30"):
        every(when)


@given(st.text() | st.integers() | st.floats() | st.timedeltas())
def test_any_declaration_is_understood_or_refused(when: Any) -> None:
    try:
        found = every(when)
    except ValueError:
        return
    assert (found.interval >= 1000) != bool(found.cron)


def test_a_schedule_is_named_after_its_function_or_as_it_says() -> None:
    ((claim, _),) = declared("day")
    assert claim == ("mine", "function")
    ((claim, _),) = declared("day", name="tidy up")
    assert claim == ("mine", "tidy up")


@pytest.mark.parametrize("name", ["", "a" * 101, "a\nb", "a\0"])
def test_a_name_is_short_and_can_be_printed(name: str) -> None:
    with pytest.raises((TypeError, ValueError), match="name"):
        name_of(function, name)


def test_what_has_no_name_of_its_own_needs_one() -> None:
    nameless = functools.partial(function)
    with pytest.raises(TypeError, match='name="tidy"'):
        Plugin("mine").every("day")(nameless)
    assert name_of(nameless, "tidy") == "tidy"


def test_two_schedules_of_one_plugin_have_two_names() -> None:
    with pytest.raises(ValueError, match="there are two schedules function"):
        declared("day", "hour")


def test_schedules_of_two_plugins_may_have_one_name(tmp_path: Path) -> None:
    source = GOOD + '@plugin.every("day")\nasync def tidy(call): ...\n'
    files = {name: source.format(name=name) for name in ("one", "two")}
    loaded = load_files(tmp_path, files)
    assert loaded.errors == []
    assert claims(loaded, "on_schedule") == [("one", "tidy"), ("two", "tidy")]


def test_two_plugin_objects_of_one_module_share_their_names(tmp_path: Path) -> None:
    source = GOOD.format(name="mine") + 'other = Plugin("mine")\n'
    source += '@plugin.every("day")\nasync def tidy(call): ...\n'
    source += '@other.every("hour", name="tidy")\nasync def more(call): ...\n'
    (cause,) = causes(load_files(tmp_path, {"mine": source}))
    assert "claims on_schedule mine.tidy, which" in cause


def test_a_job_has_one_owner(tmp_path: Path) -> None:
    source = GOOD + '@plugin.job("remind")\nasync def remind(call): ...\n'
    files = {name: source.format(name=name) for name in ("one", "two")}
    (cause,) = causes(load_files(tmp_path, files))
    assert "claims job remind, which" in cause


def test_a_job_has_a_name() -> None:
    plugin = Plugin("mine")
    with pytest.raises(ValueError, match="a job is declared by its name"):
        plugin.job("*")
    with pytest.raises(TypeError, match=r'as in @plugin\.job\("remind"\)'):
        plugin.job("")
    with pytest.raises(TypeError, match="needs a name"):
        plugin.job(function)  # type: ignore[arg-type]  # as without parentheses


@pytest.mark.parametrize(
    ("hook", "advice"), [("job", '@plugin.job("remind")'), ("on_schedule", '@plugin.every("day")')]
)
def test_a_plain_hookimpl_that_nobody_would_ask_is_an_error(
    tmp_path: Path, hook: str, advice: str
) -> None:
    source = f"from tornado_cc import hookimpl\n@hookimpl\nasync def {hook}(call): ...\n"
    (cause,) = causes(load_files(tmp_path, {"plain": source}))
    assert cause.endswith(f"ValueError: a plain {hook} is never asked; use {advice}")


def test_a_bad_schedule_keeps_its_plugin_from_being_loaded(tmp_path: Path) -> None:
    source = GOOD.format(name="mine") + '@plugin.every("weekly")\nasync def f(call): ...\n'
    (cause,) = causes(load_files(tmp_path, {"mine": source}))
    assert cause.startswith(
        "plugin mine (file mine.py) cannot be loaded: ValueError: @plugin.every"
    )
    assert cause.endswith("not 'weekly'")
