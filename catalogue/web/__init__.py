"""The site: every address of the catalogue, for people and for machines."""

from __future__ import annotations

from flask import Flask

from catalogue.search import SearchIndex
from catalogue.settings import Settings
from catalogue.store import Store
from catalogue.web import (
    datasets,
    errors,
    feeds,
    health,
    history,
    home,
    manage,
    organisations,
    problems,
    quarantines,
    records,
    runs,
    search,
    security,
    sign_in,
    sources,
    urls,
)
from catalogue.web.site import Site, assets, templates

PREFIXES = (
    home,
    search,
    datasets,
    history,
    organisations,
    sources,
    runs,
    problems,
    records,
    manage,
    quarantines,
    sign_in,
    feeds,
    health,
)
"""One module per address prefix; each has its views in `pages`."""


def create_app(settings: Settings, store: Store, index: SearchIndex) -> Flask:
    """The site over a store and an index that are open already; whoever opened them closes them."""
    app = Flask(__name__, static_folder=assets(), static_url_path="/static", template_folder=None)
    templates(app)
    Site(settings, store, index).serve(app)
    urls.prepare(app, settings.base_url)
    sign_in.keep(app, settings)
    for module in PREFIXES:
        app.register_blueprint(module.pages)
    security.protect(app)
    errors.explain(app)
    return app
