"""What alembic runs for each migration: on the connection it was given, never one of its own."""

from alembic import context

from tornado_cc.store.tables import metadata, on

connection = context.config.attributes["connection"]
# SQLite cannot alter most of a table: alembic copies it instead.
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    include_object=on(connection.dialect.name),
)
context.run_migrations()
