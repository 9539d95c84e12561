"""The figures of several workers as those of one server."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Figures = Sequence[Any]
"""What one process has counted, as JSON: for each family its name, meaning and type, and its
samples, each with name, labels and value."""

_Key = tuple[str, tuple[tuple[str, str], ...]]

# What only grows; a worker that has ended counts on in the sum, or the sum would fall.
_GROWING = frozenset({"counter", "histogram"})
# Of these a sum would say nothing: all workers have the same, or the youngest is what is asked for.
_LARGEST = frozenset(
    {
        "process_start_time_seconds",
        "process_max_fds",
        "python_info",
        "tornado_cc_queue_depth",
        "tornado_cc_queue_oldest_age_seconds",
        "tornado_cc_dead_letters",
    }
)


@dataclass
class _Family:
    meaning: str
    kind: str
    values: dict[_Key, float] = field(default_factory=dict)


def figures_of(collector: Collector) -> list[Any]:
    """What is registered there, to be sent to whoever adds it up."""
    return [
        [
            family.name,
            family.documentation,
            family.type,
            [[one.name, one.labels, one.value] for one in family.samples],
        ]
        for family in collector.collect()
    ]


class Totals:
    """Adds up what workers count, those that have ended too."""

    def __init__(self) -> None:
        self._ended: dict[str, _Family] = {}

    def keep(self, figures: Figures) -> None:
        """A worker has ended, and this is the last that was heard of it."""
        _add(self._ended, [one for one in figures if one[2] in _GROWING])

    def of(self, living: Iterable[Figures]) -> Iterator[Metric]:
        """The families of all workers.

        Args:
            living: the figures of each that has not ended.
        """
        found = {
            name: _Family(one.meaning, one.kind, dict(one.values))
            for name, one in self._ended.items()
        }
        for figures in living:
            _add(found, figures)
        for name, one in found.items():
            metric = Metric(name, one.meaning, one.kind)
            metric.samples = [
                Sample(sample, dict(labels), value)
                for (sample, labels), value in one.values.items()
            ]
            yield metric


def _add(sums: dict[str, _Family], figures: Figures) -> None:
    for name, meaning, kind, samples in figures:
        values = sums.setdefault(name, _Family(meaning, kind)).values
        for sample, labels, value in samples:
            key = sample, tuple(labels.items())
            before = values.get(key, 0)
            values[key] = max(before, value) if name in _LARGEST else before + value
