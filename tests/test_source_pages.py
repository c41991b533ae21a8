"""The pages of sources: their list, one of them, its runs, its problems, and single records as they came."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from filled import SCRIPT, Filled, filled
from world import Fake, harvest, numbered, source

from catalogue import advice
from catalogue.dcat import Slug
from catalogue.errors import Problem, SourceUnavailable
from catalogue.store import Tally
from catalogue.validate import LIMITS
from catalogue.web.status import OF_SOURCES, STATUSES

CHECKOUT = Path(__file__).parent.parent
PAGE = {"Accept": "text/html"}
FORMULA = '=HYPERLINK("https://evil.example")'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Sources in every state, and one that says what no page and no spreadsheet should repeat as it stands."""
    with filled(tmp_path_factory.mktemp("sources"), examples=False) as made:
        states(made)
        rude = {
            SCRIPT: {"title": "Nasty", "description": "</pre><script>alert(1)</script>" * 3, "identifier": FORMULA},
            FORMULA: Problem(rule="rude", message="+1", fix="@Be kind", where="-2", found=SCRIPT, record=FORMULA),
        }
        harvest(
            made.store,
            rude,
            "nasty",
            said={"url": "https://us:secret@nasty.example/?key=t0psecret", "title": "<b>N</b>"},
        )
        yield made


def states(site: Filled) -> None:
    store = site.store
    harvest(
        store,
        numbered(3),
        "good",
        said={"schedule": "0 3 * * *", "contact": "desk@good.example", "organisation": Slug("ofgem")},
    )
    harvest(store, numbered(30), "shrinking")
    harvest(store, numbered(2), "shrinking")
    harvest(store, Fake(numbered(3), breaks=(0, SourceUnavailable("It is away."))), "broken")
    store.sources.add(source("untouched"))
    store.sources.add(source("sleeping", paused=True))
    store.sources.add(source("stranger", approved=False))
    for name in ("waits", "works", "lost"):
        store.sources.add(source(name))
    store.leases.enqueue(source("waits"), due=datetime.now(UTC) + timedelta(days=1))
    store.leases.start(source("works"))
    dead = store.leases.start(source("lost"))
    store.leases.finish(dead, "dead", Tally(), "Its worker was lost.", 1.0)


def get(site: Filled, path: str, **how: Any) -> Any:
    return site.app.test_client().get(path, headers=PAGE, **how)


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def asked(site: Filled, path: str) -> int:
    """How often a page asks the database."""
    told: list[object] = []

    def count(*said: object) -> None:
        told.append(said)

    sa.event.listen(site.store.database.engine, "before_cursor_execute", count)
    assert get(site, path).status_code == 200
    sa.event.remove(site.store.database.engine, "before_cursor_execute", count)
    return len(told)


# ---------------------------------------------------------------- every source


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("good", "complete"), ("shrinking", "quarantined"), ("broken", "failed"), ("lost", "dead"), ("untouched", "never"),
        ("sleeping", "paused"), ("stranger", "unapproved"), ("waits", "waiting"), ("works", "running"),
    ],
)  # fmt: skip
def test_the_list_says_the_state_of_each_source(site: Filled, name: str, state: str) -> None:
    html = get(site, f"/source?state={state}").text
    [row] = re.findall(
        rf'<tr class="govuk-table__row">\s*<th[^>]*><a[^>]*href="/source/{name}".*?</tr>', html, re.DOTALL
    )
    assert STATUSES[state].label in row


def test_the_list_counts_the_states_and_leads_to_each(site: Filled) -> None:
    html = get(site, "/source").text
    for state in OF_SOURCES:
        shown = re.search(rf'href="/source\?state={state}">[^<]*</a> (\d+)', html)
        rows = get(site, f"/source?state={state}").text.count('<th scope="row"')
        assert rows == (int(shown[1]) if shown else 0)


def test_sources_are_found_by_their_name_and_their_organisation(site: Filled) -> None:
    found = [
        re.findall(r'<th scope="row".*?href="/source/([a-z]+)"', get(site, f"/source?q={q}").text)
        for q in ("GOO", "ofgem+fake")
    ]
    assert found == [["good"], ["good"]]
    assert "No source" in words(get(site, "/source?q=zebra").text)
    assert 'value="&lt;script&gt;"' in get(site, "/source?q=<script>").text


@pytest.mark.parametrize(
    ("path", "status"), [("/source?state=best", 400), ("/source?page=2", 404), ("/source?page=x", 400)]
)
def test_a_list_that_is_not_there_says_so(site: Filled, path: str, status: int) -> None:
    assert get(site, path).status_code == status


def test_a_long_list_asks_the_database_as_often_as_a_short_one(tmp_path: Path) -> None:
    with filled(tmp_path, examples=False) as small:
        before = asked(small, "/source")
        for number in range(120):
            held = source(f"more-{number}", organisation=Slug(f"body-{number}"), title=f"More {number}")
            small.store.sources.add(held)
            small.store.leases.finish(small.store.leases.start(held), "complete", Tally(), "", 0.0)
        asked(small, "/source")  # the titles of organisations are remembered from now on
        assert asked(small, "/source") <= before + 2
        assert get(small, "/source").text.count('<th scope="row"') == 100
        assert "More 99" in words(get(small, "/source?page=2").text)


# ---------------------------------------------------------------- one source


def test_a_source_says_who_answers_for_it_and_when_it_is_harvested(site: Filled) -> None:
    site.store.sources.set_next("good", None, datetime(2027, 7, 1, 2, 4, tzinfo=UTC))
    said = words(get(site, "/source/good").text)
    assert "Every day at 03:00" in said
    assert "1 July 2027 at 03:04 (Europe/London)" in said
    assert "desk@good.example" in said
    assert "3 records" in words(get(site, f"/source/good/run/{site.store.runs.some('good')[0].id}").text)


def test_a_source_whose_records_vanished_leads_to_what_would_go(site: Filled) -> None:
    held = site.store.quarantines.open("shrinking")
    assert held is not None
    html = get(site, "/source/shrinking").text
    assert f'href="/source/shrinking/quarantine/{held.id}"' in html
    assert "28 records that this source used to give are missing" in words(html)


def test_the_picture_names_every_way_in_which_a_run_may_end(site: Filled) -> None:
    store, held = site.store, source("chequered")
    store.sources.add(held)
    ends = ("complete", "partial", "failed", "dead", "quarantined")
    for status in ends:
        store.leases.finish(store.leases.start(held), status, Tally(fetched=7), "", 0.0)
    store.leases.start(held)
    html = get(site, "/source/chequered").text
    picture = html.partition("<svg viewBox")[2].partition("</svg>")[0]
    assert picture.count("<g><title>") == 6 == html.count(">Run ") - html.count("Under way")
    for status in (*ends, "running"):
        assert f">{STATUSES[status].label}</text>" in picture
    assert "style=" not in picture


def test_the_trend_of_errors_is_drawn_and_told(site: Filled) -> None:
    store, held = site.store, source("mending")
    store.sources.add(held)
    for errors in (9, 4, 1):
        store.leases.finish(store.leases.start(held), "partial", Tally(), "", 0.0, errors=errors, warnings=errors * 2)
    harvest(store, {"r": {"title": ""}}, "mending")
    html = get(site, "/source/mending").text
    assert re.search(r'aria-label="Errors after each of the last runs: from 9 to \d+, lowest 1, highest 9"', html)


def test_what_nobody_else_may_know_stands_on_no_page(site: Filled) -> None:
    run = site.store.runs.some("nasty")[0].id
    for path in ("", "/problems", "/problems.csv", f"/run/{run}", f"/record?identifier={SCRIPT}"):
        text = get(site, f"/source/nasty{path}").text
        assert "secret@" not in text
        assert "t0psecret" not in text


# ---------------------------------------------------------------- problems


def test_problems_stand_with_their_fix_and_an_example_of_what_is_right(site: Filled) -> None:
    said = words(get(site, "/source/good/problems").text)
    rule = site.store.runs.rules("good")[0].examples[0].rule
    assert f"What is right, for example: {advice.example(rule)}" in said
    assert "To fix it:" in said
    assert "3 times" in said


def test_every_place_of_a_rule_can_be_paged_through(site: Filled) -> None:
    harvest(site.store, numbered(70), "many")
    path = "/source/many/problems?rule=description-missing"
    places = [found for page in (1, 2) for found in re.findall(r">(r\d+)</a>", get(site, f"{path}&page={page}").text)]
    assert sorted(places) == sorted(numbered(70))
    assert get(site, f"{path}&page=3").status_code == 404
    assert get(site, "/source/many/problems?rule=no-such-rule").status_code == 404


def test_what_two_runs_tell_alike_is_one_problem_on_the_page_and_in_the_table(site: Filled) -> None:
    store = site.store
    harvest(store, numbered(2), "echo")
    before = {(one.rule, one.record) for one in store.runs.each_standing("echo")}
    held = store.leases.start(source("echo"))
    again = [
        Problem(rule=p.rule, message=p.message, fix=p.fix, where=p.location, record=p.record, severity=p.severity)
        for p in store.runs.standing("echo")
    ]
    store.runs.report(held, again)
    store.leases.finish(held, "partial", Tally(), "", 0.0)
    told = list(store.runs.each_standing("echo"))
    assert {(one.rule, one.record) for one in told} == before
    assert (
        len(told)
        == len(before)
        == sum(rule.count for rule in store.runs.rules("echo"))
        == len(store.runs.standing("echo"))
    )


def test_the_table_of_problems_holds_every_one_and_no_formula(site: Filled) -> None:
    answer = get(site, "/source/nasty/problems.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == len(site.store.runs.standing("nasty"))
    [rude] = [row for row in rows if row["rule"] == "rude"]
    assert {rude[name] for name in ("record", "place", "problem", "fix")} == {f"'{FORMULA}", "'-2", "'+1", "'@Be kind"}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert [row["severity"] for row in rows] == sorted(
        (row["severity"] for row in rows), key=["error", "warning", "note"].index
    )


def test_the_table_of_problems_is_read_a_little_at_a_time(site: Filled) -> None:
    harvest(site.store, numbered(40), "long")
    every = [(one.severity, one.rule, one.record) for one in site.store.runs.each_standing("long")]
    few = [(one.severity, one.rule, one.record) for one in site.store.runs.each_standing("long", size=3)]
    assert few == every
    assert len(every) == sum(rule.count for rule in site.store.runs.rules("long")) > 40


def test_old_runs_are_forgotten_but_not_what_still_stands(site: Filled) -> None:
    store = site.store
    said = numbered(2)
    harvest(store, said, "old")  # tells what is wrong with both
    harvest(store, Fake(said, breaks=(0, SourceUnavailable("Away."))), "old")
    harvest(store, said, "old")
    first, middle, last = sorted(run.id for run in store.runs.some("old"))
    standing = [replace(one, run=0) for one in store.runs.standing("old")]
    assert standing
    store.runs.thin(datetime.now(UTC) + timedelta(days=1))
    assert sorted(run.id for run in store.runs.some("old")) == [first, last]
    assert [replace(one, run=0) for one in store.runs.standing("old")] == standing
    assert get(site, f"/source/old/run/{middle}").status_code == 404
    assert get(site, "/source/old").status_code == 200


# ---------------------------------------------------------------- one run


def test_a_run_that_goes_on_says_how_far_it_is(site: Filled) -> None:
    run = site.store.runs.some("works")[0]
    said = words(get(site, f"/source/works/run/{run.id}").text)
    assert "Running" in said
    assert "Its lease ends" in said
    assert f"process {run.owner.split('/')[-2]}" in said
    assert "Asked for Everything" in said
    assert "None so far." in said


def test_a_run_of_another_source_is_not_there(site: Filled) -> None:
    run = site.store.runs.some("good")[0].id
    assert get(site, f"/source/good/run/{run}").status_code == 200
    assert get(site, f"/source/nasty/run/{run}").status_code == 404
    assert get(site, "/source/good/run/999999").status_code == 404


# ---------------------------------------------------------------- one record


def test_a_record_is_shown_as_it_came_with_what_we_made_of_it(site: Filled) -> None:
    html = get(site, "/source/good/record?identifier=r1").text
    assert "{&#34;title&#34;: &#34;Dataset 1&#34;}" in html
    assert "dcat:Dataset" in html
    assert "application/json" in html
    assert "description-missing" in html
    assert f'href="/dataset/{site.id("Dataset 1")}"' in html


def test_the_last_change_of_its_dataset_is_shown_property_by_property(site: Filled) -> None:
    for title in ("Locks", "Locks and weirs"):
        harvest(site.store, {"one": {"title": title, "identifier": "locks-1"}}, "changing")
    html = get(site, "/source/changing/record?identifier=one").text
    row = html.partition(">Title</th>")[2].partition("</tr>")[0]
    assert words(row) == "Locks Locks and weirs"
    assert "/history" in html


def test_nothing_that_a_source_says_is_taken_for_markup(site: Filled) -> None:
    run = site.store.runs.some("nasty")[0].id
    paths = [
        "/source",
        "/source/nasty",
        "/source/nasty/problems",
        "/source/nasty/problems?rule=rude",
        f"/source/nasty/run/{run}",
    ]
    for path in paths:
        html = get(site, path).text
        assert "alert(" not in html.replace("&lt;script&gt;alert(", "")
        assert "<b>N" not in html
    html = get(site, "/source/nasty/record", query_string={"identifier": SCRIPT}).text
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


def test_the_bytes_of_a_record_come_as_a_file_and_never_as_a_page(site: Filled) -> None:
    answer = get(site, "/source/nasty/record.raw", query_string={"identifier": SCRIPT})
    kept = site.store.records.verbatim("nasty", SCRIPT)
    assert kept is not None
    assert answer.get_data() == kept.content
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert re.fullmatch(r"attachment; filename=[a-z-]+\.txt", answer.headers["Content-Disposition"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/source/good/record", 400), ("/source/good/record?identifier=none", 404), ("/source/none/record?identifier=r1", 404),
        ("/source/good/record.raw?identifier=none", 404), ("/source/good/record?identifier=%00", 404), ("/source/none", 404),
        ("/source/none/problems", 404), ("/source/none/problems.csv", 404), ("/source/good/record?identifier=" + "x" * 3000, 404),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_so(site: Filled, path: str, status: int) -> None:
    assert get(site, path).status_code == status


# ---------------------------------------------------------------- an example for every rule


def test_every_rule_has_an_example_of_what_is_right() -> None:
    rules = (
        set(in_code(CHECKOUT / "catalogue", CHECKOUT / "harvesters"))
        | set(in_shapes())
        | {f"{name}-limit" for name in LIMITS}
    )
    assert len(rules) > 90
    assert not sorted(rule for rule in rules if not advice.example(rule))
    assert not sorted(set(advice.EXAMPLES) - rules), "examples of rules that are no more"


def in_shapes() -> Iterator[str]:
    for file in (CHECKOUT / "vocab" / "shapes").glob("*.ttl"):
        yield from re.findall(r"^rule:([a-z-]+) a sh:", file.read_text("utf-8"), re.MULTILINE)


def in_code(*folders: Path) -> Iterator[str]:
    """Every word that is given as `rule` anywhere, by name or by place, or stands for it where none is given."""
    trees = [ast.parse(file.read_text("utf-8")) for folder in folders for file in folder.rglob("*.py")]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    places = {node.name: place for node in functions for place, name in enumerate(parameters(node)) if name == "rule"}
    for tree in trees:
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for value in given(tree, places):
            said = constants.get(value.id) if isinstance(value, ast.Name) else value
            if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value:
                yield said.value


def parameters(function: ast.FunctionDef) -> list[str]:
    return [one.arg for one in function.args.args if one.arg not in ("self", "cls")]


def given(tree: ast.Module, places: dict[str, int]) -> Iterable[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = places.get(called, len(node.args))
            yield from node.args[place : place + 1]
        elif isinstance(node, ast.FunctionDef):
            both = node.args
            named = zip(both.args[len(both.args) - len(both.defaults) :], both.defaults, strict=True)
            only = zip(both.kwonlyargs, both.kw_defaults, strict=True)
            yield from (default for one, default in (*named, *only) if one.arg == "rule" and default is not None)
