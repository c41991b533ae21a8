"""What external bodies consume: the catalogue as DCAT, page by page, and whole as a file."""

from __future__ import annotations

from catalogue.feeds.base import FEEDS, Feed, feed_for
from catalogue.feeds.catalog import (
    PAGE,
    CatalogPage,
    Place,
    catalog_nodes,
    dataset_nodes,
    found_page,
    numbered_page,
    page_after,
    record_node,
)
from catalogue.feeds.export import EXPORTS, export

__all__ = [
    "EXPORTS", "FEEDS", "PAGE", "CatalogPage", "Feed", "Place", "catalog_nodes", "dataset_nodes", "export", "feed_for",
    "found_page", "numbered_page", "page_after", "record_node",
]  # fmt: skip
