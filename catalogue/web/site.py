"""What the pages are made from, and the one way in which a page is shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from flask import Flask, Response, current_app, make_response, render_template
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader

from catalogue.search import SearchIndex
from catalogue.settings import Settings
from catalogue.store import Store
from catalogue.web import present, urls
from catalogue.web.status import STATUSES
from vocab import scheme

HERE = Path(__file__).parent


class Page(Protocol):
    """What a template is given. Its fields are what the template may say."""

    template: ClassVar[str]


@dataclass
class Site:
    """The catalogue behind the pages. Shared by every thread; what it remembers never changes once it is known."""

    settings: Settings
    store: Store
    index: SearchIndex
    _titles: dict[str, str] = field(default_factory=dict)
    _titles_of: int = -1

    def serve(self, app: Flask) -> None:
        """Become the site of this app."""
        app.extensions["fedcat"] = self
        app.context_processor(self.layout)

    def layout(self) -> dict[str, Any]:
        """What every page needs. It asks the store nothing."""
        own = {"title": self.settings.title, "publisher": self.settings.publisher, "url": urls.home()}
        return {"site": own, "navigation": urls.navigation(), "links": urls.footer()}

    def organisation(self, slug: str) -> str:
        """An organisation's title: the register's, else what its source calls it, else the slug."""
        return self.organisations({slug})[slug]

    def organisations(self, slugs: Collection[str]) -> dict[str, str]:
        """The titles of several, for which the store is asked no more often than for one."""
        registered = {slug: found.label for slug in slugs if (found := scheme("organisations").get(slug))}
        unknown = [slug for slug in slugs if slug not in registered and slug not in self._titles]
        if unknown and (serial := self.store.datasets.serial()) != self._titles_of:
            self._titles |= {held.slug: held.title for held in self.store.datasets.organisations()}
            self._titles_of = serial
        return {slug: registered.get(slug) or self._titles.get(slug, slug) for slug in slugs}

    @property
    def edition(self) -> str:
        """Changes when the same description would be written in other words: another version, another name of the site."""
        said = f"{version('fedcat')} {self.settings.base_url} {self.settings.title} {self.settings.publisher}"
        return blake2b(said.encode(), digest_size=4).hexdigest()


def here() -> Site:
    """The site that this request is for."""
    return cast(Site, current_app.extensions["fedcat"])


def show(page: Page, status: int = 200) -> Response:
    """A page in its template."""
    return make_response(render_template(page.template, page=page), status)


def assets() -> Path:
    """Stylesheet and scripts: built in the checkout, or shipped in the wheel."""
    checkout = HERE.parent.parent / "static" / "dist"
    return checkout if checkout.is_dir() else HERE / "static"


def templates(app: Flask) -> None:
    """Our templates, and the components that they are made of."""
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([FileSystemLoader(HERE / "templates"), components])
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True, "finalize": printable}
    app.jinja_env.globals.update(present=present, urls=urls, statuses=STATUSES)


def printable(value: Any) -> Any:
    """What a template says, without characters that no page may hold. Markup was cleaned when it was made."""
    return present.printable(value) if type(value) is str else value
