"""Corrections: put right here what a source says wrong, until it is right there."""

from __future__ import annotations

import getpass
from typing import Any

import click

from catalogue.cli.here import Here, as_json, console, counted, say_json, table, with_here
from catalogue.dcat import IRI, Agent, Literal, Resource, Text, When
from catalogue.differences import label, worded
from catalogue.errors import WrongUse
from catalogue.layers import Layer, agreed, alone, property_of
from catalogue.normalise import normalise
from catalogue.organisations import agent, organisation
from catalogue.search.follow import catch_up


@click.command()
@click.argument("id_", metavar="ID")
@click.argument("property_", metavar="[PROPERTY]", default="")
@click.argument("values", metavar="[VALUE]...", nargs=-1)
@click.option("--lang", default="", help="The language of the words: en, cy …")
@click.option("--note", default="", help="Why, for whoever reads the history.")
@click.option("--by", "actor", default="", help="Who says so; the one who is logged in here, when it is not given.")
@click.option("--remove", is_flag=True, help="Let the source speak for itself again.")
@click.option("--list", "list_", is_flag=True, help="List what is said over the source.")
@as_json
@with_here
def correct(here: Here, /, id_: str, property_: str, values: tuple[str, ...], **how: Any) -> None:
    """Put right what a source says of a dataset. The next harvest keeps the correction, and tells when the source has changed.

    PROPERTY is a name such as titles, descriptions, keywords, licences, frequency, modified. Several VALUEs are said together.

    \b
    Examples:
      fedcat correct canals-ab12cd34 frequency monthly --note "They told us by telephone"
      fedcat correct canals-ab12cd34 keywords canals locks water
      fedcat correct canals-ab12cd34 frequency --remove
      fedcat correct canals-ab12cd34 --list
    """
    id_ = here.store.datasets.get(id_).id
    if how["list_"]:
        _list(here.store.corrections.of(id_), how["as_json"])
        return
    actor = how["actor"] or getpass.getuser()
    if not property_:
        raise WrongUse("Say which property: 'fedcat correct ID PROPERTY VALUE', such as frequency monthly.")
    if how["remove"]:
        here.store.corrections.remove(id_, property_, actor, how["note"])
        console.say(f"{label(property_)} is again what the source says.")
    else:
        said = in_words(here.store.corrections.harvested(id_), property_, values, how["lang"])
        here.store.corrections.set(id_, property_, said, actor, how["note"])
        console.say(
            f"{label(property_)} is put right. 'fedcat correct {id_} --list' shows it beside what the source says."
        )
    catch_up(here.store, here.index)


def in_words(said: Resource, name: str, values: tuple[str, ...], lang: str = "") -> Resource:
    """The resource with this property alone, said in words as a person writes them. Raises WrongUse for what it cannot take."""
    prop = property_of(type(said), name)
    if not values:
        raise WrongUse(f"Say what {name} should be, or --remove to take the correction back.")
    if not prop.many and len(values) > 1:
        raise WrongUse(f"'{name}' takes one value. Put it in quotes when it has several words.")
    if not {Text, IRI} & set(prop.kinds):
        raise WrongUse(f"'{name}' has parts of its own, which words cannot say. It is put right at its source.")
    texts: frozenset[Any] = frozenset(IRI(value) if Text not in prop.kinds else Text(value, lang) for value in values)
    given: dict[str, Any] = {name: texts if prop.many else next(iter(texts))}
    made = alone(normalise(type(said)(iri=said.iri, **given)), name)
    found = getattr(made, name)
    if not found and not made.rest:
        raise WrongUse(f"{', '.join(map(repr, values))} says nothing that '{name}' could be.")
    if When in prop.kinds and not isinstance(found, Literal):
        raise WrongUse(f"{values[0]!r} is no date. Write it as 2026-03-31, 2026-03 or 2026.")
    return _by_register(made) if name == "publisher" else made


def _by_register(said: Resource) -> Resource:
    """A publisher that the register knows is its entry there."""
    body = organisation(said.publisher) if isinstance(said.publisher, Agent | Text) else None
    publisher: dict[str, Any] = {"publisher": agent(body)} if body and body.registered else {}
    return type(said)(iri=said.iri, **publisher) if publisher else said


def _list(layers: tuple[Layer, ...], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "property": layer.property, "layer": layer.layer, "value": _value(layer), "by": layer.actor, "at": layer.at,
            "note": layer.note, "drifted": layer.drifted, "agreed": agreed(layer),
        }
        for layer in layers
    ]  # fmt: skip
    if as_json:
        say_json(rows)
        return
    columns = ("Property", "Said", "Layer", "By", "At", "Note", "Source")
    table(
        columns,
        [(r["property"], "; ".join(r["value"]), r["layer"], r["by"], r["at"], r["note"], _source(r)) for r in rows],
    )
    console.say(counted(len(rows), "layer") + " over what the source says.")


def _value(layer: Layer) -> list[str]:
    return [text.value for text in worded(layer.value, layer.property)]


def _source(row: dict[str, Any]) -> str:
    if row["drifted"]:
        return f"something else since {row['drifted']:%d %b %Y}"
    return "the same by now" if row["agreed"] else ""
