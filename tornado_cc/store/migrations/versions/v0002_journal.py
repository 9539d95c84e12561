"""Requests, deliveries, receipts and schedules: what makes that nothing accepted is lost."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_MOMENT = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables of the journal."""
    op.create_table(
        "requests",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("dialect", _NAME, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("route", _NAME, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("remote", sa.Text, nullable=False),
        sa.Column("not_replayable", sa.Text),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("plugins", sa.Text, nullable=False),
        sa.Column("user_id", _NAME),
        sa.Column("master", sa.Boolean, nullable=False),
        sa.Column("outcome", _NAME),
        sa.Column("cause", sa.Text),
        sa.Column("error_id", _NAME),
        sa.Column("status", sa.Integer),
        sa.Column("ms", sa.Float),
        sa.Column("answer", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
    )
    op.create_table(
        "deliveries",
        sa.Column("number", _MOMENT, autoincrement=True, nullable=False),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("plugin", _NAME, nullable=False),
        sa.Column("target", _NAME, nullable=False),
        sa.Column("lane", _NAME),
        sa.Column("once", _NAME),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("request_id", _NAME),
        sa.Column("state", _NAME, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("leased_by", _NAME),
        sa.Column("failures", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.PrimaryKeyConstraint("number", name="pk_deliveries"),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
        sa.UniqueConstraint("once", name="uq_deliveries_once"),
        sqlite_autoincrement=True,
    )
    for name, columns, condition in (
        ("due", ["due_at", "number"], "state IN ('ready', 'running')"),
        ("leased", ["due_at", "number"], "state = 'running'"),
        ("lane", ["lane", "number"], "state IN ('waiting', 'ready', 'running')"),
        ("ended", ["state", "ended_at"], "state IN ('done', 'dead', 'discarded')"),
        ("request_id", ["request_id"], "request_id IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(
            f"ix_deliveries_{name}",
            "deliveries",
            columns,
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "receipts",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("state", _NAME, nullable=False),
        sa.Column("owner", _NAME, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("key", name="pk_receipts"),
    )
    op.create_index("ix_receipts_until", "receipts", ["until"])
    op.create_table(
        "schedules",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
