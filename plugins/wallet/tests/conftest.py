"""The wallet is shown on PostgreSQL as well, which more than one server may use."""

from tests.store.conftest import cluster, postgres_programs, postgres_url

__all__ = ["cluster", "postgres_programs", "postgres_url"]
