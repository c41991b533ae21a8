"""Sources managed in the site by those who are signed in: set up, looked at, approved, paused, removed and brought back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from flask import Blueprint, Response, redirect, request

from catalogue.errors import Busy, NotFound, WrongUse
from catalogue.harvest.preview import Preview, preview
from catalogue.harvest.sources import remove
from catalogue.harvest.sources import restore as bring_back
from catalogue.http import Client, Limits, agent_of
from catalogue.http.limits import MB
from catalogue.search import IndexBusy, IndexUnusable
from catalogue.search.follow import catch_up
from catalogue.settings import Settings
from catalogue.source import HarvestSource, harvester, harvesters
from catalogue.store import Store
from catalogue.store.letters import Written
from catalogue.store.people import Act
from catalogue.web import errors, parameters, present, urls
from catalogue.web.errors import Step, Trouble
from catalogue.web.sign_in import actor, required
from catalogue.web.site import Site, here, show
from catalogue.web.source_form import NEW, Form, FormPage, kind

pages = Blueprint("manage", __name__)

PREVIEW_SECONDS = 60.0
PREVIEW_MB = 128
"""What is larger takes longer to read than a page may: 'fedcat preview' does."""
SHOWN = 100
"""Titles of each kind, and problems, that the page of a preview shows."""
PER_PAGE = 50
LONGEST_NOTE = 1_000

_PREVIEWING = threading.Lock()
"""A preview reads a whole source: one at a time in a process, so that the site stays quick for everybody."""


# ---- what can be done with a source


@dataclass(frozen=True, slots=True)
class Action:
    """A button: what it does, how the record of acts calls it, and what is said afterwards."""

    do: Callable[[Store, HarvestSource], object]
    did: str
    done: str


def _harvest(store: Store, source: HarvestSource) -> None:
    if not source.approved:
        raise WrongUse("Nobody has approved it yet. Look at its preview first, and approve it there.")
    store.leases.enqueue(source)


ACTIONS: Mapping[str, Action] = {
    "harvest": Action(_harvest, "asked for a harvest", "A harvest is asked for: the next free worker begins it."),
    "pause": Action(lambda s, one: s.sources.pause(one.name, True), "paused it", "It is paused."),
    "resume": Action(lambda s, one: s.sources.pause(one.name, False), "resumed it", "It goes on by its schedule."),
    "approve": Action(
        lambda s, one: s.sources.replace(replace(one, approved=True)),
        "approved it",
        "It is approved, and is harvested by its schedule from now on.",
    ),
}

TOLD = {name: action.done for name, action in ACTIONS.items()} | {
    "saved": "It is saved. Nothing is harvested before you have looked at what it would bring and approved it.",
    "changed": "The changes are saved.",
    "removed": "It is removed. You can bring it back from here.",
    "restored": "It is back. Its next harvest brings its datasets back, at their old addresses.",
    "approved": "They are withdrawn. Their pages say so.",
    "renamed": "They go on under their new names, at their old addresses. What has no new name waits by itself.",
    "rejected": "They stay. Ask the source’s owner what happened.",
}
"""What is said after something was done, by the word that the address carries."""


@pages.app_context_processor
def _told() -> dict[str, Any]:
    told = TOLD.get(request.args.get("done", ""), "") if actor() else ""
    return {"told": told, "acts_about": acts_about}


def acts_about(about: str) -> Sequence[Act]:
    """The last things that people did to something."""
    return here().store.acts.about(about, 10)


@pages.post("/source/<name:name>/<any(harvest,pause,resume,approve):what>")
@required
def act(name: str, what: str) -> Response:
    store, action = here().store, ACTIONS[what]
    source = store.sources.get(name)
    try:
        action.do(store, source)
    except WrongUse as wrong:
        return refuse(str(wrong), Step("Look at its preview", urls.manage(name, "preview")))
    store.acts.add(actor(), action.did, f"source:{name}")
    return _to(urls.managed(name, what))


# ---- set up and changed


@dataclass(frozen=True, slots=True)
class KindsPage:
    """The choice of a kind."""

    template: ClassVar[str] = "source_kinds.html"

    kinds: Sequence[tuple[str, str, str, str]]
    """Name, what people call it, its title, and an address of that kind."""


@pages.get("/source/new")
@required
def new() -> Response:
    if type_ := request.args.get("type", ""):
        return show(FormPage(Form.of(replace(NEW, type=_known(type_))), urls.new_source()))
    return show(KindsPage([(name, kind(name), found.title, found.sample) for name, found in harvesters().items()]))


@pages.post("/source/new")
@required
def create() -> Response:
    site = here()
    form = Form.sent(request.form, replace(NEW, type=_known(request.form.get("type", ""))), site)
    if not form.faults and (taken := _taken(form.source.name, site.store)):
        form = form.refused("name", taken)
    return _save(form, urls.new_source(), lambda source: _add(source, site.store))


@pages.get("/source/<name:name>/edit")
@required
def edit(name: str) -> Response:
    source = here().store.sources.get(name)
    return _unreadable(source) or show(FormPage(Form.of(source), urls.manage(name, "edit")))


@pages.post("/source/<name:name>/edit")
@required
def change(name: str) -> Response:
    site = here()
    held = site.store.sources.get(name)
    if gone := _unreadable(held):
        return gone
    form = Form.sent(request.form, held, site)
    return _save(form, urls.manage(name, "edit"), lambda source: _replace(source, site.store))


def _save(form: Form, action: str, keep: Callable[[HarvestSource], Response]) -> Response:
    """What was sent, looked at, changed once more, or kept."""
    wanted = request.form.get("do", "save")
    if form.faults:
        return show(FormPage(form, action), 400)
    if wanted == "change":
        return show(FormPage(form, action))
    if wanted == "preview":
        return _look(form.source, action, form.answers)
    return keep(form.source)


def _add(source: HarvestSource, store: Store) -> Response:
    store.sources.add(replace(source, title=source.title or source.name))
    store.acts.add(actor(), "set it up", f"source:{source.name}", f"{source.type}, {source.url}")
    return _to(urls.manage(source.name, "preview", "saved"))


def _replace(source: HarvestSource, store: Store) -> Response:
    before = store.sources.get(source.name)
    after = replace(source, title=source.title or source.name)
    if store.sources.replace(after):
        store.acts.add(actor(), "changed it", f"source:{source.name}", _differing(before, after))
    return _to(urls.managed(source.name, "changed"))


def _differing(before: HarvestSource, after: HarvestSource) -> str:
    """What was changed from what to what, for the record."""
    was, now = Form.of(before).answers, Form.of(after).answers
    names = [name for name in dict.fromkeys((*was, *now)) if was.get(name, "") != now.get(name, "")]
    return "; ".join(f"{name}: ‘{was.get(name, '')}’ → ‘{now.get(name, '')}’" for name in names)


def _taken(name: str, store: Store) -> str:
    if name in {source.name for source in store.sources.all()}:
        return f"A source called ‘{name}’ exists already. Choose another name."
    gone = name in {source.name for source in store.sources.removed()}
    return f"A source called ‘{name}’ was removed. Bring it back, or choose another name." if gone else ""


def _known(type_: str) -> str:
    """The kind itself, if there is a harvester for it."""
    try:
        harvester(type_)
    except WrongUse as wrong:
        raise NotFound(str(wrong)) from wrong
    return type_


def _unreadable(source: HarvestSource) -> Response | None:
    """A source whose harvester is installed no longer can be paused and removed, and no more."""
    try:
        harvester(source.type)
    except WrongUse as wrong:
        return refuse(str(wrong), Step("Back to the source", urls.source(source.name)))
    return None


# ---- looked at


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What a harvest would do; before it was asked for, only the question. `answers` are those of a source not yet saved."""

    template: ClassVar[str] = "preview.html"

    source: HarvestSource
    kind: str
    seen: Preview | None = None
    action: str = ""
    answers: Mapping[str, str] | None = None
    shown: int = SHOWN


@pages.get("/source/<name:name>/preview")
@required
def before(name: str) -> Response:
    source = here().store.sources.get(name)
    return show(PreviewPage(source, kind(source.type), action=urls.manage(name, "preview")))


@pages.post("/source/<name:name>/preview")
@required
def look(name: str) -> Response:
    return _look(here().store.sources.get(name), urls.manage(name, "preview"))


def _look(source: HarvestSource, action: str, answers: Mapping[str, str] | None = None) -> Response:
    site = here()
    if gone := _unreadable(source):
        return gone
    if not _PREVIEWING.acquire(blocking=False):
        return _busy()
    try:
        reads, base = harvester(source.type), site.settings.base_url
        with client(site.settings) as out:
            seen = preview(source, reads, out, site.store, base, seconds=PREVIEW_SECONDS)
    finally:
        _PREVIEWING.release()
    return show(PreviewPage(source, kind(source.type), seen, action, answers))


def client(settings: Settings) -> Client:
    """The way out of a preview: as every other, but back within a minute."""
    limits = Limits(
        body=min(settings.max_response_mb, PREVIEW_MB) * MB,
        crawl_delay=settings.max_crawl_delay,
        total=PREVIEW_SECONDS,
        run=PREVIEW_SECONDS,
        retries=1,
    )
    return Client(limits, allow_private=settings.allow_private_sources, agent=agent_of(settings.base_url))


def _busy() -> Response:
    message = "Another preview is under way here. It takes a minute at most; yours has not been begun."
    answer = errors.answer(Trouble(503, "Try again in a minute", message, (Step("Go back and send it again"),)))
    answer.headers["Retry-After"] = str(int(PREVIEW_SECONDS))
    return answer


# ---- removed and brought back


@dataclass(frozen=True, slots=True)
class RemovePage:
    template: ClassVar[str] = "source_remove.html"

    source: HarvestSource
    datasets: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """A source that can be brought back: how many datasets of it were kept, and who removed it."""

    source: HarvestSource
    datasets: int
    act: Act | None


@dataclass(frozen=True, slots=True)
class RemovedPage:
    template: ClassVar[str] = "sources_removed.html"

    removed: Sequence[Removed]


@pages.get("/source/<name:name>/remove")
@required
def ask(name: str) -> Response:
    store = here().store
    return show(RemovePage(store.sources.get(name), store.sources.counts().get(name, 0)))


@pages.post("/source/<name:name>/remove")
@required
def take_away(name: str) -> Response:
    site = here()
    store, choice = site.store, request.form.get("datasets", "")
    source, count = store.sources.get(name), store.sources.counts().get(name, 0)
    if choice not in ("keep", "withdraw"):
        return show(RemovePage(source, count, "Say what becomes of its datasets."), 400)
    why = present.printable(request.form.get("note", "")).strip()[:LONGEST_NOTE]
    try:
        remove(store, name, choice == "keep", actor(), why)
    except Busy as busy:
        return refuse(str(busy), Step("See how far it is", urls.source(name)))
    follow(site)
    return _to(urls.removed_sources("removed"))


@pages.get("/source/removed")
@required
def removed() -> Response:
    store = here().store
    counts = store.sources.counts()
    found = [
        Removed(source, counts.get(source.name, 0), next(iter(store.acts.about(f"source:{source.name}", 1)), None))
        for source in store.sources.removed()
    ]
    return show(RemovedPage(found))


@pages.post("/source/<name:name>/restore")
@required
def restore(name: str) -> Response:
    site = here()
    bring_back(site.store, name, actor())
    follow(site)
    return _to(urls.managed(name, "restored"))


# ---- letters


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """Letters, the newest first, with what became of each."""

    template: ClassVar[str] = "outbox.html"

    letters: Sequence[Written]
    posted: bool
    """Whether there is a mail server at all."""
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.outbox(number)


@pages.get("/outbox")
@required
def outbox() -> Response:
    site, page = here(), parameters.page()
    found = site.store.letters.some(PER_PAGE + 1, (page - 1) * PER_PAGE)
    if not found and page > 1:
        raise NotFound("There are not so many letters.")
    last = page + (len(found) > PER_PAGE)
    return show(OutboxPage(found[:PER_PAGE], bool(site.settings.smtp_url), page, last))


# ---- shared


def follow(site: Site) -> None:
    """Let the index know what was done. Where it cannot now, it does with the next harvest."""
    try:
        catch_up(site.store, site.index)
    except (IndexBusy, IndexUnusable):
        return


def refuse(message: str, *steps: Step) -> Response:
    """Not now: what it was asked of is in another state."""
    return errors.answer(Trouble(409, "That cannot be done now", message, steps))


def _to(address: str) -> Response:
    return redirect(address, 303)  # type: ignore[return-value]
