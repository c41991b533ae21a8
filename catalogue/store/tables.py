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


def _one_for_each_source(status: str) -> sa.Index:
    """At most one run of a source is waiting, and at most one running."""
    which = sa.text(f"status = '{status}'")
    return sa.Index(f"uq_runs_{status}", "source", unique=True, sqlite_where=which, postgresql_where=which)


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
    sa.Column("contact", sa.Text, nullable=False, server_default=""),
    sa.Column("time_zone", sa.Text, nullable=False, server_default="Europe/London"),
    sa.Column("blackout", sa.Text, nullable=False, server_default=""),
    sa.Column("few", sa.Integer, nullable=False, server_default="10"),
    sa.Column("share", sa.Float, nullable=False, server_default="0.1"),
    sa.Column("sweep", sa.Integer, nullable=False, server_default="7"),
    sa.Column("approved", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("changed", Moment, comment="when its address, kind or options were changed: what was remembered is void"),
    sa.Column("next_run", Moment, comment="when its schedule asks for it next"),
    sa.Column("removed", Moment, comment="a removed source can be brought back"),
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
    sa.Column("host", sa.Text, nullable=False, server_default="", comment="whose server it asks"),
    sa.Column("trusting", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("due", Moment, comment="a waiting run starts no earlier"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0", comment="without progress, so far"),
    sa.Column("most_attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("token", sa.Integer, nullable=False, server_default="0", comment="of the claim that may write"),
    sa.Column("owner", sa.Text, nullable=False, server_default="", comment="which process holds the lease"),
    sa.Column("lease_until", Moment),
    sa.Column("cursor", sa.Text, nullable=False, server_default="", comment="the page that comes next"),
    sa.Column(
        "mark", sa.Text, nullable=False, server_default="", comment="the newest change seen, by the source's clock"
    ),
    sa.Column("turned", sa.Integer, nullable=False, server_default="0", comment="pages of this pass that are done"),
    sa.Column("furthest", sa.Integer, nullable=False, server_default="0", comment="the most that any pass has done"),
    sa.Column("since", sa.Text, nullable=False, server_default="", comment="only what changed after it was asked for"),
    sa.Column("whole", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("requests", sa.Integer, nullable=False, server_default="0"),
    sa.Column("errors", sa.Integer, nullable=False, server_default="0", comment="standing with its source at the end"),
    sa.Column("warnings", sa.Integer, nullable=False, server_default="0"),
    sa.Column("held_now", sa.Integer, nullable=False, server_default="0", comment="records of its source at the end"),
    sa.Column("trend", sa.Text, nullable=False, server_default="", comment="held_now of this run and those before it"),
    sa.Column("last_success", Moment, comment="when its source was last read whole, this run included"),
    sa.Index("ix_runs_source_id", "source", "id"),
    sa.Index("ix_runs_status_due", "status", "due"),
    sa.Index("ix_runs_ended", "ended"),
    _one_for_each_source("waiting"),
    _one_for_each_source("running"),
)

pages = sa.Table(
    "pages",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("at", sa.Text, primary_key=True, comment="the cursor that asks for it"),
    sa.Column("next", sa.Text, nullable=False, comment="the cursor of the page after it"),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("last_modified", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, comment="of its bytes; empty when it has to be read again"),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("held", sa.LargeBinary, nullable=False, comment="the identifiers of its records"),
)

quarantines = sa.Table(
    "quarantines",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("run", Key, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="open, approved, renamed, rejected or returned"),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False, comment="what the source gave in its last runs"),
    sa.Column("opened", Moment, nullable=False),
    sa.Column("closed", Moment),
    sa.Column("closed_by", sa.Text, nullable=False, default=""),
    sa.Column("note", sa.Text, nullable=False, default=""),
)

quarantined = sa.Table(
    "quarantined",
    metadata,
    sa.Column("quarantine", Key, sa.ForeignKey("quarantines.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("identifier", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, default=""),
    sa.Column("title", sa.Text, nullable=False, default=""),
    sa.Column("renamed_to", sa.Text, nullable=False, default="", comment="the record that seems to be the same one"),
    sa.Column("renamed_dataset", sa.Text, nullable=False, default=""),
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
    sa.Column("run", Key, nullable=False, server_default="0", comment="the run that brought its content"),
    sa.Column("first_run", Key, nullable=False, server_default="0"),
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
    sa.Column("reason", sa.Text, nullable=False, server_default="", comment="why it was withdrawn"),
    sa.Column("successor", sa.Text, nullable=False, server_default="", comment="the dataset that took its place"),
    sa.Index("ix_datasets_state_number", "state", "number"),
    sa.Index("ix_datasets_state_changed", "state", "changed"),
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
    sa.Column("source", sa.Text, nullable=False, server_default="", comment="whose harvest made it"),
    sa.Column("run", Key, nullable=False, server_default="0"),
    sa.Column("actor", sa.Text, nullable=False, server_default="", comment="the person who made it, where one did"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,  # a serial is never given twice, also after the newest change is thinned out
)

version_bodies = sa.Table(
    "version_bodies",
    metadata,
    sa.Column("serial", Key, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    comment="what a dataset said after the change of that serial; nothing for a withdrawal",
)

corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("dataset", sa.Text, sa.ForeignKey("datasets.id"), nullable=False, index=True),
    sa.Column("layer", sa.Text, nullable=False, comment="correction or enrichment"),
    sa.Column("property", sa.Text, nullable=False, comment="its name in catalogue/dcat.py"),
    sa.Column("value", sa.LargeBinary, nullable=False, comment="N-Triples of the dataset with this property alone"),
    sa.Column("harvested", sa.Text, nullable=False, comment="fingerprint of what the source said when it was made"),
    sa.Column("drifted", Moment, comment="when the source was first seen to say something else since"),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.UniqueConstraint("dataset", "layer", "property"),
)

layered_bodies = sa.Table(
    "layered_bodies",
    metadata,
    sa.Column("dataset", sa.Text, sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    comment="the description with its corrections, where there are any",
)

joins = sa.Table(
    "joins",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column(
        "kind",
        sa.Text,
        nullable=False,
        comment="merge: both are one dataset; split: they never are; offer: a person is asked",
    ),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("other", sa.Text, nullable=False, index=True, comment="the dataset that ends, or the record kept apart"),
    sa.Column("score", sa.Float, nullable=False, default=0.0),
    sa.Column("why", sa.Text, nullable=False, default=""),
    sa.Column("actor", sa.Text, nullable=False, default=""),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("kind", "dataset", "other"),
)

conflicts = sa.Table(
    "conflicts",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("property", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True, comment="the one that leads"),
    sa.Column("other", sa.Text, primary_key=True),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("other_said", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
)

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False, index=True, comment="the source it is about"),
    sa.Column("written", Moment, nullable=False),
    sa.Column("sent", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("error", sa.Text, nullable=False, default=""),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="who holds it"),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("created", Moment, nullable=False),
    sa.Column("revoked", Moment),
)

acts = sa.Table(
    "acts",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("did", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False, index=True, comment="source:<name> or dataset:<id>"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("why", sa.Text, nullable=False, default=""),
    comment="who did what, to what, when, why: appended, never edited",
)
