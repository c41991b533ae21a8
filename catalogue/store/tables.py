"""Every table. Bodies live apart from the narrow rows that are searched, so that finding one never reads the other."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only in a column called INTEGER
Moment = sa.DateTime(timezone=True)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text),
    sa.Column("schedule", sa.Text, nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("created", Moment, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("began", Moment, nullable=False),
    sa.Column("ended", Moment),
    sa.Column("message", sa.Text, nullable=False, default=""),
    *(
        sa.Column(name, sa.Integer, nullable=False, default=0)
        for name in ("fetched", "added", "updated", "unchanged", "withdrawn", "held", "rejected", "problems")
    ),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    sa.Index("ix_runs_source_id", "source", "id"),
)

problems = sa.Table(
    "problems",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("run", Key, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("fix", sa.Text, nullable=False),
)

source_records = sa.Table(
    "source_records",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("identifier", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("fetched", Moment, nullable=False),
    sa.Column(
        "rejected", sa.Text, nullable=False, default="", comment="fingerprint of the newer content that was refused"
    ),
    sa.UniqueConstraint("source", "identifier"),
)

source_bodies = sa.Table(
    "source_bodies",
    metadata,
    sa.Column("id", Key, sa.ForeignKey("source_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

catalog_records = sa.Table(
    "catalog_records",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("record", Key, sa.ForeignKey("source_records.id", ondelete="CASCADE"), nullable=False),
    sa.Column("dataset", sa.Text, sa.ForeignKey("datasets.id"), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("changed", Moment, nullable=False),
    sa.Column("run", Key, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("modified", sa.Text, nullable=False),
    sa.Column("restricted", sa.Boolean, nullable=False),
    sa.UniqueConstraint("record", "dataset"),
)

catalog_bodies = sa.Table(
    "catalog_bodies",
    metadata,
    sa.Column(
        "id", Key, sa.ForeignKey("catalog_records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", Key, nullable=False, unique=True, comment="the order in which they were first seen"),
    sa.Column("iri", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("lead", Key, comment="the catalogue record whose word is shown"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("modified", sa.Text, nullable=False),
    sa.Column("restricted", sa.Boolean, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("changed", Moment, nullable=False),
    sa.Column("serial", Key, nullable=False, index=True, comment="its last change"),
    sa.Index("ix_datasets_state_number", "state", "number"),
    sa.Index("ix_datasets_organisation_state", "organisation", "state"),
)

dataset_keys = sa.Table(
    "dataset_keys",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, sa.ForeignKey("datasets.id"), nullable=False, index=True),
)

organisations = sa.Table(
    "organisations",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("iri", sa.Text, nullable=False),
)

contact_points = sa.Table(
    "contact_points",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("dataset", sa.Text, sa.ForeignKey("datasets.id"), nullable=False, index=True),
    sa.Column("organisation", sa.Text, nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("telephone", sa.Text, nullable=False),
    sa.Column("page", sa.Text, nullable=False),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("serial", Key, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("iri", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,  # a serial is never given twice, also after the newest change is thinned out
)
