"""Flows that write are shown on both engines."""

from tests.store.conftest import cluster, own_cluster, postgres_programs, postgres_url, store_url

__all__ = ["cluster", "own_cluster", "postgres_programs", "postgres_url", "store_url"]
