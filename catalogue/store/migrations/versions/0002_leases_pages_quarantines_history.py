"""Leases, pages, quarantines, history, corrections, joins, letters, tokens"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False, comment="source:<name> or dataset:<id>"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        comment="who did what, to what, when, why: appended, never edited",
    )
    op.create_index(op.f("ix_acts_about"), "acts", ["about"], unique=False)
    op.create_table(
        "conflicts",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("property", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the one that leads"),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("other_said", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "property", "source", "other", name=op.f("pk_conflicts")),
    )
    op.create_table(
        "joins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="merge: both are one dataset; split: they never are; offer: a person is asked",
        ),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False, comment="the dataset that ends, or the record kept apart"),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joins")),
        sa.UniqueConstraint("kind", "dataset", "other", name=op.f("uq_joins_kind_dataset_other")),
    )
    op.create_index(op.f("ix_joins_dataset"), "joins", ["dataset"], unique=False)
    op.create_index(op.f("ix_joins_other"), "joins", ["other"], unique=False)
    op.create_table(
        "letters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False, comment="the source it is about"),
        sa.Column("written", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
    )
    op.create_index(op.f("ix_letters_about"), "letters", ["about"], unique=False)
    op.create_table(
        "pages",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False, comment="the cursor that asks for it"),
        sa.Column("next", sa.Text(), nullable=False, comment="the cursor of the page after it"),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="of its bytes; empty when it has to be read again"),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=False, comment="the identifiers of its records"),
        sa.PrimaryKeyConstraint("source", "at", name=op.f("pk_pages")),
    )
    op.create_table(
        "quarantines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, approved, renamed, rejected or returned"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False, comment="what the source gave in its last runs"),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantines")),
    )
    op.create_index(op.f("ix_quarantines_source"), "quarantines", ["source"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False, comment="who holds it"),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_table(
        "version_bodies",
        sa.Column("serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_version_bodies")),
        comment="what a dataset said after the change of that serial; nothing for a withdrawal",
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False, comment="correction or enrichment"),
        sa.Column("property", sa.Text(), nullable=False, comment="its name in catalogue/dcat.py"),
        sa.Column(
            "value", sa.LargeBinary(), nullable=False, comment="N-Triples of the dataset with this property alone"
        ),
        sa.Column(
            "harvested", sa.Text(), nullable=False, comment="fingerprint of what the source said when it was made"
        ),
        sa.Column(
            "drifted",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the source was first seen to say something else since",
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.id"], name=op.f("fk_corrections_dataset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("dataset", "layer", "property", name=op.f("uq_corrections_dataset_layer_property")),
    )
    op.create_index(op.f("ix_corrections_dataset"), "corrections", ["dataset"], unique=False)
    op.create_table(
        "layered_bodies",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name=op.f("fk_layered_bodies_dataset"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset", name=op.f("pk_layered_bodies")),
        comment="the description with its corrections, where there are any",
    )
    op.create_table(
        "quarantined",
        sa.Column("quarantine", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("renamed_to", sa.Text(), nullable=False, comment="the record that seems to be the same one"),
        sa.Column("renamed_dataset", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["quarantine"], ["quarantines.id"], name=op.f("fk_quarantined_quarantine"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("quarantine", "identifier", name=op.f("pk_quarantined")),
    )
    op.add_column(
        "changes", sa.Column("source", sa.Text(), server_default="", nullable=False, comment="whose harvest made it")
    )
    op.add_column(
        "changes",
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
    )
    op.add_column(
        "changes",
        sa.Column(
            "actor", sa.Text(), server_default="", nullable=False, comment="the person who made it, where one did"
        ),
    )
    op.add_column("changes", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "datasets", sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why it was withdrawn")
    )
    op.add_column(
        "datasets",
        sa.Column("successor", sa.Text(), server_default="", nullable=False, comment="the dataset that took its place"),
    )
    op.add_column(
        "runs", sa.Column("host", sa.Text(), server_default="", nullable=False, comment="whose server it asks")
    )
    op.add_column("runs", sa.Column("trusting", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "runs", sa.Column("due", sa.DateTime(timezone=True), nullable=True, comment="a waiting run starts no earlier")
    )
    op.add_column(
        "runs",
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="without progress, so far"),
    )
    op.add_column("runs", sa.Column("most_attempts", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "runs",
        sa.Column("token", sa.Integer(), server_default="0", nullable=False, comment="of the claim that may write"),
    )
    op.add_column(
        "runs",
        sa.Column("owner", sa.Text(), server_default="", nullable=False, comment="which process holds the lease"),
    )
    op.add_column("runs", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "runs", sa.Column("cursor", sa.Text(), server_default="", nullable=False, comment="the page that comes next")
    )
    op.add_column(
        "runs",
        sa.Column(
            "mark",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="the newest change seen, by the source's clock",
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "since", sa.Text(), server_default="", nullable=False, comment="only what changed after it was asked for"
        ),
    )
    op.add_column("runs", sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column(
        "runs",
        sa.Column(
            "turned", sa.Integer(), server_default="0", nullable=False, comment="pages of this pass that are done"
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "furthest", sa.Integer(), server_default="0", nullable=False, comment="the most that any pass has done"
        ),
    )
    op.add_column("runs", sa.Column("requests", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "runs",
        sa.Column(
            "errors", sa.Integer(), server_default="0", nullable=False, comment="standing with its source at the end"
        ),
    )
    op.add_column("runs", sa.Column("warnings", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "runs",
        sa.Column(
            "held_now", sa.Integer(), server_default="0", nullable=False, comment="records of its source at the end"
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "trend", sa.Text(), server_default="", nullable=False, comment="held_now of this run and those before it"
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "last_success",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its source was last read whole, this run included",
        ),
    )
    op.create_index("ix_runs_status_due", "runs", ["status", "due"], unique=False)
    op.create_index("ix_runs_ended", "runs", ["ended"], unique=False)
    op.create_index(
        "uq_runs_running",
        "runs",
        ["source"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "uq_runs_waiting",
        "runs",
        ["source"],
        unique=True,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.add_column(
        "source_records",
        sa.Column(
            "run",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
            comment="the run that brought its content",
        ),
    )
    op.add_column(
        "source_records",
        sa.Column(
            "first_run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
    )
    op.add_column("sources", sa.Column("contact", sa.Text(), server_default="", nullable=False))
    op.add_column("sources", sa.Column("time_zone", sa.Text(), server_default="Europe/London", nullable=False))
    op.add_column("sources", sa.Column("blackout", sa.Text(), server_default="", nullable=False))
    op.add_column("sources", sa.Column("few", sa.Integer(), server_default="10", nullable=False))
    op.add_column("sources", sa.Column("share", sa.Float(), server_default="0.1", nullable=False))
    op.add_column("sources", sa.Column("sweep", sa.Integer(), server_default="7", nullable=False))
    op.add_column("sources", sa.Column("approved", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column(
        "sources",
        sa.Column(
            "changed",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its address, kind or options were changed: what was remembered is void",
        ),
    )
    op.add_column(
        "sources",
        sa.Column("next_run", sa.DateTime(timezone=True), nullable=True, comment="when its schedule asks for it next"),
    )
    op.add_column(
        "sources",
        sa.Column("removed", sa.DateTime(timezone=True), nullable=True, comment="a removed source can be brought back"),
    )

    op.create_index("ix_datasets_state_changed", "datasets", ["state", "changed"], unique=False)
    # a record's problems stand with the run that brought its content
    op.execute(
        "UPDATE source_records SET "
        "run = coalesce((SELECT max(k.run) FROM catalog_records k WHERE k.record = source_records.id), 0), "
        "first_run = coalesce((SELECT min(k.run) FROM catalog_records k WHERE k.record = source_records.id), 0)"
    )


def downgrade() -> None:
    op.drop_index("ix_datasets_state_changed", table_name="datasets")
    op.drop_column("sources", "removed")
    op.drop_column("sources", "next_run")
    op.drop_column("sources", "changed")
    op.drop_column("sources", "approved")
    op.drop_column("sources", "sweep")
    op.drop_column("sources", "share")
    op.drop_column("sources", "few")
    op.drop_column("sources", "blackout")
    op.drop_column("sources", "time_zone")
    op.drop_column("sources", "contact")
    op.drop_column("source_records", "first_run")
    op.drop_column("source_records", "run")
    op.drop_index(
        "uq_runs_waiting",
        table_name="runs",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index(
        "uq_runs_running",
        table_name="runs",
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.drop_index("ix_runs_ended", table_name="runs")
    op.drop_index("ix_runs_status_due", table_name="runs")
    op.drop_column("runs", "last_success")
    op.drop_column("runs", "trend")
    op.drop_column("runs", "held_now")
    op.drop_column("runs", "warnings")
    op.drop_column("runs", "errors")
    op.drop_column("runs", "requests")
    op.drop_column("runs", "furthest")
    op.drop_column("runs", "turned")
    op.drop_column("runs", "whole")
    op.drop_column("runs", "since")
    op.drop_column("runs", "mark")
    op.drop_column("runs", "cursor")
    op.drop_column("runs", "lease_until")
    op.drop_column("runs", "owner")
    op.drop_column("runs", "token")
    op.drop_column("runs", "most_attempts")
    op.drop_column("runs", "attempts")
    op.drop_column("runs", "due")
    op.drop_column("runs", "trusting")
    op.drop_column("runs", "host")
    op.drop_column("datasets", "successor")
    op.drop_column("datasets", "reason")
    op.drop_column("changes", "reason")
    op.drop_column("changes", "actor")
    op.drop_column("changes", "run")
    op.drop_column("changes", "source")
    op.drop_table("quarantined")
    op.drop_table("layered_bodies")
    op.drop_index(op.f("ix_corrections_dataset"), table_name="corrections")
    op.drop_table("corrections")
    op.drop_table("version_bodies")
    op.drop_table("tokens")
    op.drop_index(op.f("ix_quarantines_source"), table_name="quarantines")
    op.drop_table("quarantines")
    op.drop_table("pages")
    op.drop_index(op.f("ix_letters_about"), table_name="letters")
    op.drop_table("letters")
    op.drop_index(op.f("ix_joins_other"), table_name="joins")
    op.drop_index(op.f("ix_joins_dataset"), table_name="joins")
    op.drop_table("joins")
    op.drop_table("conflicts")
    op.drop_index(op.f("ix_acts_about"), table_name="acts")
    op.drop_table("acts")
