"""The figures of several workers, added up: no sum falls, and none counts one thing twice."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tornado_cc.server.metrics import Metrics, encoded
from tornado_cc.server.overview import _Families
from tornado_cc.server.totals import Totals
from tornado_cc.store.deliveries import Depth


def worker(requests: int, depth: Depth | None = None) -> list[Any]:
    """What a worker says that has answered so many."""
    metrics = Metrics(["hello"])
    for _ in range(requests):
        metrics.request_ended(
            dialect="parse", route="/r", method="GET", status=200, seconds=0.02, now=0
        )
    metrics.breaker_changed("a.example", "closed", "open")
    return metrics.figures(depth)


def read(totals: Totals, *living: list[Any], accept: str = "") -> dict[str, float]:
    """The samples of a page by name and labels."""
    page = encoded(_Families([*totals.of(living)]), accept).body.decode()
    return {
        sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_what_workers_count_is_added_up_with_what_ended_ones_had_counted() -> None:
    totals = Totals()
    totals.keep(worker(5))
    found = read(totals, worker(2), worker(3))
    assert found["tornado_cc_requests_total|parse|GET|/r|200"] == 10
    assert found["tornado_cc_request_duration_seconds_count|parse|/r"] == 10
    assert found["tornado_cc_request_duration_seconds_bucket|parse|0.025|/r"] == 10
    assert found["tornado_cc_request_duration_seconds_bucket|parse|0.01|/r"] == 0


def test_what_is_the_case_now_is_that_of_living_workers() -> None:
    totals = Totals()
    totals.keep(worker(1))
    assert "tornado_cc_breakers_open|a.example" not in read(totals)
    assert read(totals, worker(1), worker(1))["tornado_cc_breakers_open|a.example"] == 2


def test_what_all_workers_share_is_counted_once() -> None:
    depth = Depth({"ready": 7, "dead": 3}, 9.0)
    found = read(Totals(), worker(0, depth), worker(0, depth), worker(0))
    assert found["tornado_cc_queue_depth|ready"] == 7
    assert found["tornado_cc_dead_letters"] == 3
    assert found["tornado_cc_queue_oldest_age_seconds"] == 9
    (info,) = (value for name, value in found.items() if name.startswith("python_info"))
    assert info == 1


def test_the_buckets_of_a_histogram_stay_in_their_order() -> None:
    page = encoded(_Families([*Totals().of([worker(1), worker(2)])]), "").body.decode()
    start = 'tornado_cc_request_duration_seconds_bucket{dialect="parse",le="'
    bounds = [
        float(line.removeprefix(start).partition('"')[0])
        for line in page.splitlines()
        if line.startswith(start)
    ]
    assert bounds == sorted(bounds)
    assert bounds[-1] == float("inf")
