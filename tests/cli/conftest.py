"""The databases that commands are tested on."""

from tests.store.conftest import cluster as cluster
from tests.store.conftest import postgres_programs as postgres_programs
from tests.store.conftest import postgres_url as postgres_url
from tests.store.conftest import store_url as store_url
