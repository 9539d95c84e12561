"""Users, sessions, players, configuration and objects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "users",
        sa.Column("id", _NAME, nullable=False),
        sa.Column("user_name", _NAME),
        sa.Column("display_name", sa.Text),
        sa.Column("external_ids", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("password_set_at", sa.Text),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("disabled_message", sa.Text),
        sa.Column("disabled_until", sa.Text),
        sa.Column("tokens_valid_since", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("user_name", name="uq_users_user_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("user_id", _NAME, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "player_data",
        sa.Column("user_id", _NAME, nullable=False),
        sa.Column("kind", _NAME, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", "key", name="pk_player_data"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_player_data_user_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "config",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("master_key_only", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_config"),
    )
    op.create_table(
        "versions",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_versions"),
    )
    op.create_table(
        "objects",
        sa.Column("class_name", _NAME, nullable=False),
        sa.Column("object_id", _NAME, nullable=False),
        sa.Column("fields", sa.Text().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", _NAME, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("class_name", "object_id", name="pk_objects"),
    )
    op.create_index(
        "ix_objects_class_name_created_at_object_id",
        "objects",
        ["class_name", "created_at", "object_id"],
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_objects_fields",
            "objects",
            ["fields"],
            postgresql_using="gin",
            postgresql_ops={"fields": "jsonb_path_ops"},
        )
