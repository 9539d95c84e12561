"""Figures that every request changes, kept by the event loop alone: without locks.

prometheus_client's own take a lock for each figure, and a histogram looks at one bucket after the
other: of a request that does little, that was a tenth.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Counts(Collector):
    """A counter for each combination of labels; counted and read on the event loop only."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._described = name, meaning
        self._labels = labels
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, labels: tuple[str, ...]) -> None:
        """One more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """The family, for one page."""
        family = CounterMetricFamily(*self._described, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family


class Timings(Collector):
    """A histogram for each combination of labels; kept and read on the event loop only."""

    def __init__(
        self, name: str, meaning: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> None:
        """Nothing timed yet.

        Args:
            bounds: the buckets' upper ones, in seconds and in order; one without is added.
        """
        self._described = name, meaning
        self._labels = labels
        self._bounds = bounds
        self._spelt = [*map(floatToGoString, bounds), "+Inf"]
        self._timed: dict[tuple[str, ...], _Timed] = {}

    def add(self, labels: tuple[str, ...], seconds: float) -> None:
        """One more took so long."""
        timed = self._timed.get(labels)
        if timed is None:
            timed = self._timed[labels] = _Timed(len(self._spelt))
        timed.sum += seconds
        timed.buckets[bisect_left(self._bounds, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        """The family, for one page: each bucket holds those below it too."""
        family = HistogramMetricFamily(*self._described, labels=self._labels)
        for labels, timed in self._timed.items():
            buckets = list(zip(self._spelt, accumulate(timed.buckets), strict=True))
            family.add_metric(labels, buckets, timed.sum)
        yield family


class _Timed:
    """What of one combination of labels."""

    __slots__ = ("buckets", "sum")

    def __init__(self, size: int) -> None:
        self.sum = 0.0
        self.buckets = [0] * size
