"""Metrics as Prometheus reads them."""

from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.serving import Served


@dataclass(frozen=True)
class Figures:
    """What one scrape read."""

    text: str
    families: tuple[Metric, ...]

    def value(self, name: str, **labels: str) -> float | None:
        """The sample with this name and exactly these labels; None when there is none."""
        found = [
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == f"tornado_cc_{name}" and sample.labels == labels
        ]
        assert len(found) < 2
        return found[0] if found else None

    def labels(self, name: str) -> set[str]:
        """Every value that a label of this name has anywhere."""
        return {
            sample.labels[name]
            for family in self.families
            for sample in family.samples
            if name in sample.labels
        }


def parsed(text: str) -> Figures:
    """A page in the text format of Prometheus."""
    return Figures(text, tuple(text_string_to_metric_families(text)))


async def scrape(served: Served) -> Figures:
    """The figures of a server as they are now."""
    answer = await served.request("GET", "/metrics", port=served.admin_port)
    assert answer.status == 200
    return parsed(answer.body.decode())
