"""Figures kept without locks read like those of prometheus_client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.registry import Collector

from tornado_cc.server.tallies import Counts, Timings

BOUNDS = (0.001, 0.5, 1, 60)
SECONDS = st.one_of(st.sampled_from([*BOUNDS, 0.0]), st.floats(0, 1000))
LABELS = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["200", 'quo"te']))


def samples(collector: Collector) -> list[tuple[str, dict[str, str], object]]:
    return sorted(
        (
            (one.name, dict(sorted(one.labels.items())), pytest.approx(one.value))
            for family in collector.collect()
            for one in family.samples
            if not one.name.endswith("_created")
        ),
        key=lambda one: (one[0], sorted(one[1].items())),
    )


@given(events=st.lists(st.tuples(LABELS, SECONDS)))
def test_timings_read_like_a_histogram(events: list[tuple[tuple[str, str], float]]) -> None:
    theirs = Histogram("t", "T.", ["x", "y"], registry=CollectorRegistry(), buckets=BOUNDS)
    ours = Timings("t", "T.", ["x", "y"], BOUNDS)
    for labels, seconds in events:
        theirs.labels(*labels).observe(seconds)
        ours.add(labels, seconds)
    assert samples(ours) == samples(theirs)


@given(events=st.lists(LABELS))
def test_counts_read_like_a_counter(events: list[tuple[str, str]]) -> None:
    theirs = Counter("c", "C.", ["x", "y"], registry=CollectorRegistry())
    ours = Counts("c", "C.", ["x", "y"])
    for labels in events:
        theirs.labels(*labels).inc()
        ours.add(labels)
    assert samples(ours) == samples(theirs)
