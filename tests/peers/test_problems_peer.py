"""What is wrong with a source: PostgreSQL tells it as SQLite does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from world import empty_store, harvest, numbered

from catalogue.store import Store

pytestmark = pytest.mark.peers


def test_what_stands_is_the_same_on_postgresql(postgres_url):
    with empty_store() as lite, empty_store(postgres_url) as large:
        assert told(large) == told(lite)


def told(store: Store) -> list[Any]:
    """Everything that the pages of a source ask of the store."""
    runs = store.runs
    for said in (numbered(5), numbered(5), numbered(3) | {"r9": {"title": "", "description": "Short"}}):
        harvest(store, said, "canals")
    rules = [(one.count, [(p.rule, p.record, p.severity) for p in one.examples]) for one in runs.rules("canals", 2)]
    each = [(p.rule, p.record, p.severity) for p in runs.each_standing("canals", size=2)]
    of_rule = [p.record for p in runs.of_rule("canals", "description-missing", "warning", 2, 1)]
    about = [p.rule for p in runs.about("canals", "r1")]
    kept = store.records.kept("canals", "r1")
    gone = runs.thin(datetime.now(UTC) + timedelta(days=1))
    mapped = [one.title for one in kept.mapped]
    after = [(p.rule, p.record, p.severity) for p in runs.each_standing("canals")]
    assert rules, "nothing was compared"
    assert after == each
    return [rules, each, of_rule, about, kept.record.content, mapped, gone, store.sources.count("canals")]
