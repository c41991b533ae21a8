"""Made-up documents and questions of realistic shape, the same for the same seed: for tests and for the benchmark.

Words follow Zipf's law over 80,000 of them, a third of a description comes from its topic, descriptions have a median of 79
and a mean of 118 words, and publishers, formats and themes are as uneven as in real catalogues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, product
from math import log
from random import Random

from catalogue.search import Document, Query

VOCABULARY = 80_000
TOPICS = 300
PUBLISHERS = 500


def _listed(words: str) -> list[str]:
    return words.split()


_COMMON = _listed(
    "the of and to in for data by a is on are with from as this dataset information each local authority area "
    "year number includes uk published england public services annual statistics government national or it which "
    "has been was at records level quarterly service total department people between estimates population council "
    "based report"
)
_SUBJECTS = _listed(
    "road accident vehicle traffic school pupil hospital patient housing rent planning flood river water energy "
    "carbon emission crime police prison court farm crop livestock fishery forest woodland species habitat "
    "coastal marine census household income tax benefit pension business company trade export import employment "
    "wage apprenticeship skill college university library museum heritage tourism sport waste recycling air "
    "quality noise land parcel address postcode boundary election ward parish budget spending grant procurement "
    "contract licence inspection safety fire ambulance dental vaccine mortality birth migration visa passport "
    "port rail bus cycling parking bridge street lighting broadband mobile weather rainfall temperature soil "
    "geology mineral mine archive map survey sensor meter tariff"
)
_BODIES = _listed("office agency council department authority trust")
_PLACES = _listed(
    "Wales England Scotland Leeds Cardiff Bristol Kent Devon Cumbria Norfolk Powys Gwynedd Fife Highland Môn Ŵy"
)
_THEMES = _listed(
    "transport environment health government economy education population regions justice society energy "
    "agriculture science international"
)
_FORMATS = _listed(
    "csv xlsx pdf json html geojson xml zip ods wms wfs shp kml gpkg rdf ttl api txt docx gml tiff jpeg parquet "
    "sqlite dwg ics rss png netcdf odt"
)
_LICENCES = _listed("ogl-uk-3.0 cc-by-4.0 cc0-1.0 odbl other-closed ogl-uk-2.0 inspire-end-user cc-by-sa-4.0")
_FREQUENCIES = _listed("annual quarterly monthly irregular daily weekly never continuous biennial unknown")
_ACCESS = _listed("public restricted non-public")
_IDENTIFIERS = _listed("uprn company-number gss-code usrn postcode nhs-number urn")
_MISSIONS = _listed("growth clean-energy streets opportunity health")
_NEWEST = date(2026, 9, 1)


# A few documents to read, for tests that say what is found; and what people, or their clipboards, may type.
ROADS = Document(
    id="road-accidents-1",
    iri="https://data.example.gov.uk/id/road-accidents",
    title="Road accidents",
    description="Collisions reported to the police on public roads.",
    keywords=("safety", "collisions"),
    columns=("accident_index", "local_authority_district"),
    organisation="department-for-transport",
    themes=("transport", "safety"),
    formats=("csv", "json"),
    licence="ogl",
    access="public",
    frequency="annual",
    sources=("transport-catalogue",),
    identifiers=("usrn",),
    missions=("streets",),
    modified="2024-03-01",
    covers_from="2005-01-01",
    covers_to="2015-12-31",
    bbox=(-5.5, 51.3, -2.6, 53.5),
)
SCHOOLS = Document(
    id="schools-2",
    title="Schools in Wales",
    titles=("Ysgolion Cymru",),
    description="Every school, with the road on which it stands. Clean Dŵr Cymru taps are listed for each building.",
    keywords=("pupils",),
    organisation="welsh-government",
    themes=("education",),
    formats=("csv",),
    access="public",
    modified="2025-06-30",
    covers_from="2016-09-01",
    bbox=(-5.7, 51.3, -2.6, 53.5),
)
RIVERS = Document(
    id="river-levels-3",
    title="River levels",
    description="Hourly readings of accidents of nature: floods.",
    keywords=("water",),
    organisation="environment-agency",
    themes=("environment",),
    formats=("json",),
    access="restricted",
    modified="2023-12-24",
)
SMALL = (ROADS, SCHOOLS, RIVERS)
SAID_NOTHING = Document(id="bare-4", title="Untold")

NASTY = (
    '"', "'", "-", "--", "*", "**", "OR", "AND", "NOT", "OR OR", "road OR", "OR road", "NOT NOT", "-\"", '"road', 'road"acc',
    "road AND", "title:road", "10.1234/abc:def", "foo:bar~2^3", "[a TO b]", "{}", "(((", "\\", "/", "//", "a*b*c", "*road",
    "‘road’", "“road", "–road", "—", "\0", "road\0acc", "\ud800", "\U0010ffff", "İ", "ﬁ", "ß", "e\u0301", "\u0301", "名前", "🛣",
    "100023336956", "%", "_", "a" * 5_000, "road " * 500, "-road " * 100, '"' * 101, "OR " * 100, "<b>road</b>", "'; DROP TABLE",
)  # fmt: skip


def documents(count: int, seed: int = 1, start: int = 0) -> Iterator[Document]:
    """`count` documents; each depends on its number and the seed only, so any part can be made again."""
    return (document(number, seed) for number in range(start, start + count))


def document(number: int, seed: int = 1) -> Document:
    """The document with this number."""
    random = Random(f"{seed}:{number}")
    topic = _topic(_skewed(random, TOPICS), seed)
    subject = random.choice(topic[:12])
    place = random.choice(_PLACES) if random.random() < 0.5 else ""
    words = _prose(random, topic, max(8, int(random.lognormvariate(log(79), 0.896))))
    covers = sorted(random.choices(range(1990, 2026), k=2)) if random.random() < 0.6 else ()
    west, south = random.uniform(-8.0, 1.5), random.uniform(50.0, 58.5)
    return Document(
        id=f"{subject}-{number:08x}",
        iri=f"https://data.example.gov.uk/id/{number}",
        kind="series" if number % 50 == 7 else "service" if number % 50 == 13 else "dataset",
        title=_title(random, subject, topic, place),
        titles=(f"{subject.capitalize()} Cymru",) if random.random() < 0.05 else (),
        description=" ".join(words).capitalize() + ".",
        keywords=tuple(random.sample(topic, random.randint(2, 6))),
        columns=tuple("_".join(random.sample(topic, 2)) for _ in range(random.randint(3, 15)))
        if number % 3 == 0
        else (),
        organisation=publisher(_skewed(random, PUBLISHERS)),
        themes=_some(random, _THEMES, 2),
        formats=_some(random, _FORMATS, 3),
        licence=_LICENCES[_skewed(random, len(_LICENCES))] if random.random() < 0.9 else "",
        access=random.choices(_ACCESS, (8, 1, 1))[0],
        frequency=_FREQUENCIES[_skewed(random, len(_FREQUENCIES))] if random.random() < 0.7 else "",
        sources=(f"source-{_skewed(random, 40)}",),
        identifiers=_some(random, _IDENTIFIERS, 1) if random.random() < 0.2 else (),
        missions=_some(random, _MISSIONS, 1) if random.random() < 0.15 else (),
        modified=(_NEWEST - timedelta(days=int(random.expovariate(1 / 900)))).isoformat()
        if random.random() < 0.95
        else "",
        covers_from=f"{covers[0]}-01-01" if covers else "",
        covers_to=f"{covers[1]}-12-31" if covers else "",
        bbox=(west, south, west + random.uniform(0.01, 2), south + random.uniform(0.01, 2)) if place else None,
        quality=round(random.random(), 2),
    )


def publisher(number: int) -> str:
    """The slug of an organisation."""
    return f"{_SUBJECTS[number % len(_SUBJECTS)]}-{_BODIES[number // len(_SUBJECTS) % len(_BODIES)]}"


def questions(count: int, size: int, seed: int = 1) -> Iterator[Query]:
    """`count` questions of mixed kinds to put to an index that holds `documents(size, seed)`."""
    kinds = tuple(QUESTIONS.values())
    for number in range(count):
        random = Random(f"question:{seed}:{number}")
        yield kinds[number % len(kinds)](random, document(random.randrange(size), seed))


def _words(random: Random, about: Document, count: int) -> str:
    found = [word for word in about.description.rstrip(".").split() if word not in _COMMON] or about.title.split()
    return " ".join(random.choices(found, k=count))


def _phrase(random: Random, about: Document) -> str:
    found = about.description.rstrip(".").split()
    at = random.randrange(len(found) - 1)
    return f'"{" ".join(found[at : at + 2])}"'


def _misspelt(random: Random) -> str:
    word = random.choice([subject for subject in _SUBJECTS if len(subject) > 5])
    at = random.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


QUESTIONS: dict[str, Callable[[Random, Document], Query]] = {
    "one word": lambda random, about: Query(words=_words(random, about, 1)),
    "two words": lambda random, about: Query(words=_words(random, about, 2)),
    "three words": lambda random, about: Query(words=_words(random, about, 3)),
    "common words": lambda random, _: Query(words=" ".join(random.sample(_COMMON[10:30], 3))),
    "alternatives": lambda random, about: Query(words=" OR ".join(_words(random, about, 3).split())),
    "phrase": lambda random, about: Query(words=_phrase(random, about)),
    "minus": lambda random, about: Query(words=f"{_words(random, about, 1)} -{random.choice(_SUBJECTS)}"),
    "prefix": lambda random, about: Query(words=_words(random, about, 1)[: random.randint(2, 4)] + "*"),
    "misspelt": lambda random, _: Query(words=_misspelt(random)),
    "title": lambda _, about: Query(words=about.title),
    "filter": lambda _, about: Query(filters={"organisation": frozenset({about.organisation})}),
    "words and filters": lambda random, about: Query(
        words=_words(random, about, 1), filters={"theme": frozenset(about.themes), "format": frozenset(about.formats)}
    ),
    "browse": lambda random, _: Query(sort=random.choice(("relevance", "updated", "title"))),
    "page 50": lambda random, _: Query(words=random.choice(_COMMON[20:40]), page=50),
    "time and place": lambda random, about: Query(
        words=_words(random, about, 1), covers_from="2010-01-01", covers_to="2015-12-31", bbox=(-4.0, 51.0, 0.0, 54.0)
    ),
}


def _title(random: Random, subject: str, topic: tuple[str, ...], place: str) -> str:
    parts = [subject.capitalize(), *random.sample(topic, random.randint(1, 4))]
    parts += ["in", place] if place else []
    parts += [str(random.randint(2004, 2026))] if random.random() < 0.5 else []
    return " ".join(parts)


def _prose(random: Random, topic: tuple[str, ...], length: int) -> list[str]:
    vocabulary, weights = _vocabulary()
    words = random.choices(vocabulary, cum_weights=weights, k=length)
    return [random.choice(topic) if random.random() < 0.3 else word for word in words]


def _some(random: Random, choices: list[str], most: int) -> tuple[str, ...]:
    return tuple(sorted({choices[_skewed(random, len(choices))] for _ in range(random.randint(1, most))}))


def _skewed(random: Random, size: int) -> int:
    """A number below `size`, small ones far more often."""
    return int(size * random.random() ** 2.5)


@lru_cache(maxsize=TOPICS)
def _topic(number: int, seed: int) -> tuple[str, ...]:
    """Forty words that go together: a few subjects, then rarer words."""
    random = Random(f"topic:{seed}:{number}")
    vocabulary, _ = _vocabulary()
    return (*random.sample(_SUBJECTS, 8), *random.sample(vocabulary[200:20_000], 32))


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[list[str], list[float]]:
    """Every word, commonest first, with the running sum of how often each is used."""
    starts = _listed("b c d f g l m n p r s t v w br st tr pl")
    syllables = [start + vowel for start, vowel in product(starts, "aeiou")]
    stems = (one + two + end for one, two, end in product(syllables, syllables, ("n", "ment", "r", "l", "tion")))
    made = (stem + ending for stem in stems for ending in ("", "s"))
    words = dict.fromkeys([*_COMMON, *_SUBJECTS, *(f"{subject}s" for subject in _SUBJECTS)])
    tail = list(dict.fromkeys(made))
    Random("vocabulary").shuffle(tail)
    words.update(dict.fromkeys(tail))
    vocabulary = list(words)[:VOCABULARY]
    return vocabulary, list(accumulate(1 / (rank + 3.7) ** 1.05 for rank in range(len(vocabulary))))
