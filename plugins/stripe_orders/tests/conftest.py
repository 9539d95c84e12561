"""Orders are shown on PostgreSQL as well, which more than one server may use."""

from tests.store.conftest import cluster, own_cluster, postgres_programs, postgres_url, store_url

__all__ = ["cluster", "own_cluster", "postgres_programs", "postgres_url", "store_url"]
