"""The form of a source: what is asked, how it is read, and what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from catalogue.dcat import Slug
from catalogue.harvest.sources import faults
from catalogue.organisations import registered, slug
from catalogue.source import HarvestSource, harvester
from catalogue.web import present
from catalogue.web.site import Site
from catalogue.web.sources import KINDS
from vocab import scheme

NEW = HarvestSource(name=Slug(""), type="", url="", approved=False)
"""A source made in the site waits for a person to look at what it would bring."""
Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `kind` is the input's type; `width` how much room it has; `mode` which keyboard a phone shows."""

    name: str
    label: str
    hint: str = ""
    kind: str = "text"
    width: str = ""
    mode: str = ""
    list: str = ""


QUESTIONS: tuple[tuple[str, tuple[Asked, ...]], ...] = (
    (
        "What it is",
        (
            Asked("title", "Title", "What people call it, such as ‘Department for Transport open data’."),
            Asked("name", "Short name", "Lower-case letters, digits and hyphens. It cannot be changed later."),
            Asked("url", "Address", kind="url", mode="url"),
            Asked(
                "organisation",
                "Organisation (optional)",
                "The body that answers for it: its name, its abbreviation or its short name.",
                list="organisations",
            ),
            Asked(
                "contact",
                "Contact e-mail (optional)",
                "Whom we write to when something is wrong.",
                kind="email",
                mode="email",
            ),
        ),
    ),
    ("How it is read", ()),
    (
        "When it is harvested",
        (
            Asked(
                "schedule",
                "Schedule (optional)",
                "Minute, hour, day, month and weekday: ‘0 3 * * *’ is every day at 03:00, ‘30 6 * * 1’ is Mondays at 06:30, "
                "‘0 */4 * * *’ is every four hours. Left empty, it is harvested only when somebody asks for it.",
                width="one-half",
            ),
            Asked("time_zone", "Time zone", "In which the schedule and the hours below are meant.", width="one-half"),
            Asked(
                "blackout",
                "When not to harvest (optional)",
                "When its owner does not want us, such as ‘Mon-Fri 08:00-18:00; 2026-12-24..2027-01-02’.",
            ),
            Asked(
                "sweep",
                "Days between full harvests",
                "Where a source can tell what changed, everything is asked for after so many days, to find what was deleted.",
                width="5",
                mode="numeric",
            ),
        ),
    ),
    (
        "What may vanish without asking",
        (
            Asked(
                "few",
                "Records",
                "So many may vanish in one harvest without a person’s word …",
                width="5",
                mode="numeric",
            ),
            Asked("share", "Per cent", "… or this part of all, whichever is more.", width="5", mode="decimal"),
        ),
    ),
    (
        "Which source leads",
        (
            Asked(
                "priority",
                "Priority",
                "When two sources describe one dataset, the one with the lower number is shown.",
                width="5",
                mode="numeric",
            ),
        ),
    ),
)
"""Every question, by heading. Those about how it is read come from its harvester."""


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody has written into the form of a source, and what is wrong with it."""

    source: HarvestSource
    answers: Answers
    faults: Mapping[str, str]

    @classmethod
    def of(cls, source: HarvestSource) -> Form:
        """The form as a source fills it."""
        answers = {name: show(source) for name, show in SHOWN.items()}
        return cls(source, answers | {f"option-{name}": value for name, value in source.options.items()}, {})

    @classmethod
    def sent(cls, sent: Mapping[str, str], before: HarvestSource, site: Site) -> Form:
        """What was sent, over the source as it was. A name is only taken for a new one."""
        declared = [option.name for option in harvester(before.type).options]
        names = [*SHOWN, *(f"option-{name}" for name in declared)]
        answers = {name: " ".join(present.printable(sent.get(name, "")).split()) for name in names}
        if before.name:
            answers["name"] = before.name
        said: dict[str, Any] = {name: answers[name] for name in WORDS}
        wrong: dict[str, str] = {}
        for name, (label, read) in READ.items():
            try:
                said[name] = read(answers[name], before, site) if answers[name] else getattr(NEW, name)
            except ValueError as fault:
                wrong[name] = f"{label} ‘{present.shortened(answers[name], 80)}’ {fault}"
        options = {name: value for name in declared if (value := answers[f"option-{name}"])}
        source = replace(before, **said, name=Slug(answers["name"]), options=options)
        found = faults(source, allow_private=site.settings.allow_private_sources)
        return cls(source, answers, found | wrong)

    def refused(self, name: str, fault: str) -> Form:
        return replace(self, faults={**self.faults, name: fault})


@dataclass(frozen=True, slots=True)
class FormPage:
    """The form of a new source, or of one that is there."""

    template: ClassVar[str] = "source_form.html"

    form: Form
    action: str

    @property
    def new(self) -> bool:
        return self.action.endswith("/new")

    @property
    def kind(self) -> str:
        return kind(self.form.source.type)

    @property
    def organisations(self) -> list[str]:
        return sorted(concept.label for concept in scheme("organisations"))

    @property
    def questions(self) -> Sequence[tuple[str, Sequence[Asked]]]:
        reads = harvester(self.form.source.type)
        options = tuple(
            Asked(f"option-{o.name}", o.name.replace("-", " ").replace("_", " ").capitalize(), _hint(o.meaning, o.default))
            for o in reads.options
        )  # fmt: skip
        questions = [(heading, options if heading == "How it is read" else asked) for heading, asked in QUESTIONS]
        kept = [(heading, [one for one in asked if self.new or one.name != "name"]) for heading, asked in questions]
        return [
            (heading, [replace(a, hint=f"Such as {reads.sample}") if a.name == "url" else a for a in asked])
            for heading, asked in kept
            if asked
        ]

    @property
    def faults(self) -> list[tuple[str, str]]:
        """In the order of the questions; what belongs to none of them comes first."""
        order = [one.name for _, asked in self.questions for one in asked]
        return sorted(self.form.faults.items(), key=lambda fault: order.index(fault[0]) if fault[0] in order else -1)


def kind(type_: str) -> str:
    """What people call a kind of source."""
    return KINDS.get(type_, type_)


def _hint(meaning: str, default: str) -> str:
    said = f"{meaning[:1].upper()}{meaning[1:].rstrip('.')}."
    return f"{said} When left empty: {default}." if default else said


# ---- reading


def _organisation(said: str, before: HarvestSource, site: Site) -> Slug | None:
    """One of the register, or another that the catalogue knows already."""
    if found := registered(said):
        return found.slug
    if before.organisation and said in (before.organisation, site.organisation(before.organisation)):
        return before.organisation
    for held in site.store.datasets.organisations():
        if said == held.title or slug(said) == held.slug:
            return Slug(held.slug)
    raise ValueError("is in no register that we know. Choose one of the list, or leave it empty.")


def _whole(said: str, _before: HarvestSource, _site: Site) -> int:
    plain = said.replace(",", "").removeprefix("-")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise ValueError("has to be a whole number.")
    return int(said.replace(",", ""))


def _share(said: str, _before: HarvestSource, _site: Site) -> float:
    try:
        number = float(said.removesuffix("%"))
    except ValueError:
        number = -1
    if not 0 <= number <= 100:
        raise ValueError("has to be a number from 0 to 100.")
    return round(number / 100, 6)


WORDS = ("title", "url", "contact", "schedule", "time_zone", "blackout")
READ: Mapping[str, tuple[str, Callable[[str, HarvestSource, Site], Any]]] = {
    "organisation": ("Organisation", _organisation),
    "sweep": ("Days between full harvests", _whole),
    "few": ("Records", _whole),
    "share": ("Per cent", _share),
    "priority": ("Priority", _whole),
}
"""What is not words: what the question is called, and how its answer is read."""


def _title(organisation: Slug | None) -> str:
    found = registered(organisation) if organisation else None
    return found.title if found else organisation or ""


SHOWN: Mapping[str, Callable[[HarvestSource], str]] = {
    "name": lambda source: source.name,
    **{name: (lambda source, name=name: str(getattr(source, name))) for name in WORDS},  # type: ignore[misc]
    "organisation": lambda source: _title(source.organisation),
    "sweep": lambda source: str(source.sweep),
    "few": lambda source: str(source.few),
    "share": lambda source: f"{source.share * 100:g}",
    "priority": lambda source: str(source.priority),
}
"""How a source fills its form."""
