"""Alembic runs on the store's own connection: one place decides how we connect."""

from alembic import context

from catalogue.store.tables import metadata

with context.config.attributes["database"].writing() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
