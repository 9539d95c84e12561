"""How hypothesis works here, and the databases that commands are tested on."""

from hypothesis import settings

from tests.store.conftest import cluster as cluster
from tests.store.conftest import postgres_programs as postgres_programs
from tests.store.conftest import postgres_url as postgres_url
from tests.store.conftest import store_url as store_url

# A busy machine is no reason for a test to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
