"""`/source/<name>/quarantine/<id>`: what is gone from a source and waits for a person. Everybody may read, some may decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response, redirect, request

from catalogue.errors import NotFound, WrongUse
from catalogue.harvest import decide
from catalogue.source import HarvestSource
from catalogue.store import Missing, Quarantine, Store
from catalogue.web import parameters, present, urls
from catalogue.web.errors import Step
from catalogue.web.manage import LONGEST_NOTE, follow, refuse
from catalogue.web.sign_in import actor, required
from catalogue.web.site import here, show

pages = Blueprint("quarantines", __name__)

PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """A button: what it does, and the word for what is said afterwards."""

    do: Callable[[Store, int, str, str], int]
    done: str


DECISIONS: Mapping[str, Decision] = {
    "approve": Decision(decide.approve, "approved"),
    "renamed": Decision(decide.renamed, "renamed"),
    "reject": Decision(decide.reject, "rejected"),
}


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    template: ClassVar[str] = "quarantine.html"

    source: HarvestSource
    quarantine: Quarantine
    missing: Sequence[Missing]
    page: int
    last: int

    @property
    def open(self) -> bool:
        return self.quarantine.state == "open"

    def address(self, number: int) -> str:
        return urls.quarantine(self.source.name, self.quarantine.id, number)


@pages.get("/source/<name:name>/quarantine/<number:id_>")
def quarantine(name: str, id_: int) -> Response:
    store, page = here().store, parameters.page()
    source, held = store.sources.get(name), _held(name, id_)
    last = max(1, ceil(held.size / PER_PAGE))
    if page > last:
        raise NotFound(f"Quarantine {id_} has no page {page}.")
    missing = store.quarantines.missing(id_, PER_PAGE, (page - 1) * PER_PAGE)
    return show(QuarantinePage(source, held, missing, page, last))


@pages.post("/source/<name:name>/quarantine/<number:id_>/<any(approve,renamed,reject):what>")
@required
def decided(name: str, id_: int, what: str) -> Response:
    site, decision = here(), DECISIONS[what]
    held = _held(name, id_)
    if held.state != "open":
        return _decided_before(name, id_)
    note = present.printable(request.form.get("note", "")).strip()[:LONGEST_NOTE]
    try:
        decision.do(site.store, id_, actor(), note)
    except WrongUse:  # by somebody else, in this moment
        return _decided_before(name, id_)
    follow(site)
    return redirect(f"{urls.quarantine(name, id_)}?done={decision.done}", 303)  # type: ignore[return-value]


def _decided_before(name: str, id_: int) -> Response:
    return refuse("Somebody has decided it already.", Step("See what was decided", urls.quarantine(name, id_)))


def _held(name: str, id_: int) -> Quarantine:
    """Raises NotFound when it is another source's."""
    held = here().store.quarantines.get(id_)
    if held.source != name:
        raise NotFound(f"'{name}' has no quarantine {id_}.")
    return held
