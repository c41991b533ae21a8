"""fedcat's own example sources: invented catalogues of real bodies, in every kind of source that fedcat reads.

The files under `examples/` are the truth; nothing generates them. Titles, figures, people and addresses are made up, and
every address ends in `.example`, a name that is reserved for this. `catalogue.demo.server` serves them, CKAN's action API
included, so that a demonstration goes through the real harvesters.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

BASE = "{base}"
"""What `sources.toml` writes where the address of the example server goes."""


def examples() -> Traversable:
    """The folder of example files, wherever fedcat is installed."""
    return files(__name__) / "examples"


def sources(base_url: str) -> list[dict[str, Any]]:
    """The example sources as `fedcat source import` reads them, served from `base_url`."""
    listed = tomllib.loads(examples().joinpath("sources.toml").read_text("utf-8"))["source"]
    return [source | {"url": source["url"].replace(BASE, base_url.rstrip("/"))} for source in listed]
