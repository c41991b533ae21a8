"""Every page: it answers, says what it is, leads nowhere dead, repeats nothing unescaped and invents nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import html5lib
import pytest
import sqlalchemy as sa
from filled import BASE, SCRIPT, Filled, filled, kinds

PAGE = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled(tmp_path_factory.mktemp("site")) as made:
        yield made


def get(site: Filled, path: str, **headers: str) -> Any:
    return site.app.test_client().get(path, headers={**PAGE, **headers})


class Seen(HTMLParser):
    """What a test asks of a page: its headings, links, ids, and the words in its main part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.h1: list[str] = []
        self.title = self.lang = self.words = ""
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        self._inside.append(tag)
        self.ids += [said["id"]] if "id" in said else []
        self.links += [said[name] for name in ("href", "src", "action") if name in said]
        self.h1 += [""] if tag == "h1" else []
        self.lang = said.get("lang", "") if tag == "html" else self.lang

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.words += data
        if "title" in self._inside and "svg" not in self._inside:
            self.title += data
        if "h1" in self._inside:
            self.h1[-1] += data


# ---------------------------------------------------------------- every page


def test_the_whole_site_can_be_walked_and_no_link_is_dead(site: Filled) -> None:
    waiting, pages, searches = ["/"], {}, 0
    while waiting:
        path = waiting.pop()
        if path in pages:
            continue
        answer = get(site, path)
        assert answer.status_code in (200, 301, 303), path
        if answer.status_code != 200 or answer.mimetype != "text/html":
            pages[path] = None
            continue
        seen = pages[path] = Seen(answer.text)
        check(path, answer.text, seen)
        for link in map(urlsplit, seen.links):
            if link.scheme or link.netloc or not link.path.startswith("/"):
                continue
            searches += link.path.startswith("/search") and bool(link.query)
            if not link.path.startswith("/search") or searches < 120:
                waiting.append(link._replace(fragment="").geturl())
    walked = [path for path, seen in pages.items() if seen]
    assert len([path for path in walked if path.startswith("/dataset/")]) >= 120
    assert {kind.partition("?")[0] for kind in kinds(site).values()} <= {path.partition("?")[0] for path in walked}


def check(path: str, html: str, seen: Seen) -> None:
    """What holds for any page."""
    assert len(seen.h1) == 1, path
    assert seen.h1[0].strip(), path
    assert seen.title.strip().endswith("Test catalogue"), path
    assert len(seen.title.strip()) > len("Test catalogue"), path
    assert seen.lang == "en"
    assert len(seen.ids) == len(set(seen.ids)), path
    fragments = {unquote(link[1:]) for link in seen.links if link.startswith("#")}
    assert fragments <= set(seen.ids), path
    assert not re.search(r"<style|<[^<>]*\s(?:style=|on\w+=[\"'])", html), path
    assert not [mark for mark in ("govuk-crest", "govuk-logotype", "Crown copyright", "GDS Transport") if mark in html]
    assert not [
        link for link in seen.links if urlsplit(link).scheme not in ("", "http", "https", "mailto", "tel", "ftp")
    ]


def test_no_page_has_a_script_but_upstreams_one_line_ours_and_descriptions(site: Filled) -> None:
    for kind, path in kinds(site).items():
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", get(site, path).text, flags=re.DOTALL)
        inline = [code for attributes, code in scripts if "src=" not in attributes and "ld+json" not in attributes]
        assert len(inline) == 1, kind
        assert inline[0].startswith("document.body.className"), kind


def test_every_kind_of_page_is_well_formed(site: Filled) -> None:
    for kind, path in kinds(site).items():
        parser = html5lib.HTMLParser()
        parser.parse(get(site, path).text)
        assert not parser.errors, (kind, parser.errors[:3])


def test_a_page_asks_the_database_few_questions_however_much_it_shows(site: Filled) -> None:
    asked: list[str] = []
    pages = kinds(site)
    get(site, "/organisation")
    sa.event.listen(site.store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    for kind, path in pages.items():
        asked.clear()
        get(site, path)
        questions = [words for words in asked if words.startswith("SELECT")]
        assert len(questions) <= 13, (kind, len(questions))


# ---------------------------------------------------------------- a dataset


def page(site: Filled, title: str) -> str:
    return str(get(site, f"/dataset/{site.id(title)}").text)


def part(html: str, title: str) -> str:
    """What stands in the section under a heading; the card beside the title has some of the same headings."""
    return re.sub(r"\s+", " ", html.rpartition(f">{title}</h2>")[2].partition("<h2")[0])


def test_an_open_dataset_leads_to_its_files_with_format_and_size(site: Filled) -> None:
    html = page(site, "Flood zones")
    assert "Download GeoPackage, 3.8 GB" in html
    assert "https://data.environment.example/files/flood-zones.gpkg.zip" in part(html, "How to get this data")
    assert "Copy, publish, adapt and use it" in html
    assert "A letter to begin with" not in html


def test_who_owns_it_who_looks_after_it_and_whom_to_ask_stand_apart(site: Filled) -> None:
    people = re.findall(
        r"<dt>(.*?)</dt> ?<dd>\s*([^<]*?)\s*(?:<br>|</dd>)", part(page(site, "Flood zones"), "Who looks after it")
    )
    assert people[:3] == [
        ("Owner", "Director of Flood Strategy"),
        ("Custodian", "Flood mapping stewards"),
        ("Contact", "Flood data team"),
    ]


def test_what_is_not_open_comes_with_whom_to_ask_what_they_need_and_a_letter(site: Filled) -> None:
    html = page(site, "Properties at risk")
    ways = part(html, "How to get this data")
    assert "Only certain people, or certain uses" in ways
    assert "You will need: the duty you are carrying out" in ways
    assert "What they will need to know" in ways
    address = next(link for link in Seen(html).links if link.startswith("mailto:floods@") and "subject" in link)
    said = parse_qs(urlsplit(address).query)
    assert said["subject"] == ["Request for data: Properties at risk of flooding"]
    assert f"{BASE}/dataset/{site.id('Properties at risk')}" in said["body"][0]
    shown = re.search(r'<div class="app-letter" data-copy>(.*?)</div>', html, flags=re.DOTALL)
    assert shown is not None
    assert shown[1].split() == said["body"][0].split()
    assert len(address) < 2000, "longer ones are cut off by some programs"


def test_without_a_contact_of_its_own_the_organisations_is_offered_and_said_to_be(site: Filled) -> None:
    html = page(site, "Silent")
    assert "desk@board.example" in html
    assert "This description names no contact that can be reached" in html


def test_when_nobody_can_be_asked_the_page_says_so_and_leads_to_the_organisation(site: Filled) -> None:
    whom = page(site, "Nobody answers").partition("Whom to ask</h3>")[2].partition("</section>")[0]
    assert "Not given" in whom
    assert 'href="/organisation/society-of-silence"' in whom


def test_what_is_missing_says_not_given(site: Filled) -> None:
    html = page(site, "Nobody answers")
    rows = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", html, flags=re.DOTALL))
    for label in ("Updated", "Licence", "Covers", "Identifier", "Themes", "Place", "Legal basis", "Owner", "Contact"):
        assert "Not given" in rows[label], label
    assert "Not given" in part(html, "About this dataset")


def test_languages_stand_side_by_side_and_say_which_they_are(site: Filled) -> None:
    html = page(site, "Pupils by language")
    assert '<p class="app-title-too" lang="cy">Disgyblion yn ôl iaith yr addysgu</p>' in html
    assert '<h3 class="govuk-heading-s" lang="cy">Cymraeg</h3>' in html
    assert 'lang="cy">Dim ond Cymraeg</h1>' in page(site, "Dim ond")


def test_every_route_is_shown_and_a_refused_version_is_marked(site: Filled) -> None:
    routes = part(page(site, "Refused now"), "Where this description comes from")
    assert 'href="/source/trials"' in routes
    assert "A newer version was refused" in routes
    assert "A newer version of this description was refused" in page(site, "Refused now")
    two = next(entry for entry in site.store.datasets.each() if len(entry.routes) > 1)
    shown = part(get(site, f"/dataset/{two.id}").text, "Where this description comes from")
    assert all(f'href="/source/{route.source}"' in shown for route in two.routes)


def test_a_series_and_its_members_lead_to_each_other(site: Filled) -> None:
    series, member = site.id("River flow archive"), site.id("River flow archive 2024")
    assert f'href="/dataset/{member}"' in part(page(site, "River flow archive"), "How to get this data")
    assert f'href="/dataset/{series}"' in part(page(site, "River flow archive 2024"), "What it belongs with")


def test_statements_without_a_place_are_shown_as_they_were_made(site: Filled) -> None:
    html = page(site, "River levels, every")
    assert "What else the source says" in html
    assert "Pressure transducer PT-40" in html
    assert "Staff gauge, read by eye" in html


def test_other_peoples_words_stay_words(site: Filled) -> None:
    html = page(site, "<script")
    assert SCRIPT not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(&#39;title&#39;)&lt;/script&gt;</h1>" in html
    assert "<b>bold" not in html
    assert '<a class="govuk-link" rel="nofollow" href="http://example.org/a?b=1&amp;c=2">' in html
    assert 'href="mailto:trial@board.example"' in html
    assert "javascript:" not in "".join(Seen(html).links)
    assert SCRIPT not in get(site, "/search?q=alert").text
    assert SCRIPT not in get(site, "/organisation/board-of-trials").text


def test_characters_that_no_page_may_hold_are_left_out(site: Filled) -> None:
    for path in (f"/dataset/{site.id('Bell')}", "/search?q=null", "/search.atom?q=null"):
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", get(site, path).text), path


# ---------------------------------------------------------------- search


def test_the_search_says_what_was_asked_and_how_much_was_found(site: Filled) -> None:
    html = get(site, "/search?q=flood").text
    assert Seen(html).title.startswith("flood – 4 results")
    assert "<mark>flood</mark>" in html
    assert 'id="announcement" role="status" data-announce="4 results for “flood”"' in html


def test_words_found_in_keywords_say_so(site: Filled) -> None:
    assert re.search(r"Found in keywords: [^<]*<mark>hydrology</mark>", get(site, "/search?q=hydrology").text)


def test_each_filter_in_use_can_be_taken_off_and_every_shown_count_is_true(site: Filled) -> None:
    html = get(site, "/search?q=river&access=open&organisation=environment-agency").text
    pills = re.findall(r'app-pill" href="([^"]*)"', html)
    assert {link.replace("&amp;", "&") for link in pills} == {
        "/search?q=river&access=open",
        "/search?q=river&organisation=environment-agency",
    }
    options = re.findall(
        r'name="(theme|format)" value="([^"]*)".*?count"><span[^>]*>\(</span>([\d,]+)', html, re.DOTALL
    )
    assert options
    for name, value, count in options:
        found = get(site, f"/search?q=river&access=open&organisation=environment-agency&{name}={value}").text
        assert f">{count} result" in found, (name, value)


def test_a_search_that_finds_nothing_says_what_to_do(site: Filled) -> None:
    html = get(site, "/search?q=flood+zebra").text
    assert "These have some of your words" in html
    assert site.id("Flood zones") in html
    assert "search without filters" in get(site, "/search?q=flood&format=parquet").text
    assert re.search(r'Did you mean <a[^>]*href="/search\?q=flood">', get(site, "/search?q=flodo").text)


def test_what_the_panel_does_not_show_is_carried_along(site: Filled) -> None:
    html = get(site, "/search?source=health&bbox=-5,50,2,56&theme=no-such-theme").text
    for name, value in (("source", "health"), ("bbox", "-5,50,2,56")):
        assert f'<input type="hidden" form="search" name="{name}" value="{value}">' in html
    assert re.search(r'name="theme" value="no-such-theme"', html)


# ---------------------------------------------------------------- sources and organisations


def test_a_source_groups_its_problems_by_rule_with_the_fix(site: Filled) -> None:
    html = get(site, "/source/justice").text
    groups = re.findall(r'<li class="app-problem app-problem--(\w+)">', html)
    assert groups
    assert groups == sorted(groups, key=["error", "warning", "note"].index)
    assert html.count("To fix it:") == len(groups)
    assert 'href="/source/justice/run/' in html


def test_the_picture_of_runs_has_the_figures_of_the_table(site: Filled) -> None:
    html = get(site, "/source/trials").text
    picture = html.partition("<svg viewBox")[2].partition("</svg>")[0]
    runs = site.store.runs.some("trials")
    assert len(re.findall(r"<g><title>", picture)) == len(runs) == 2
    assert f"The newest read {runs[0].fetched} records" in picture
    assert all(f">Run {run.id}</a>" in html for run in runs)


def test_an_organisation_shows_its_data_its_contacts_and_its_sources(site: Filled) -> None:
    html = get(site, "/organisation/department-for-transport").text
    assert 'href="/source/transport"' in html
    assert "Adran" in html or 'lang="cy"' in html
    assert re.search(r'href="mailto:[^"]+"', html)
    assert get(site, "/organisation/ofgem").status_code == 200, "known from the register, without data as yet"
    assert get(site, "/organisation/no-such-body").status_code == 404


def test_a_site_below_a_path_links_within_it(tmp_path: Path) -> None:
    with filled(tmp_path, examples=False, base_url="https://gov.example/data") as site:
        for asked in ("/", "/data/", "/data"):
            html = get(site, asked).text
            links = [link for link in Seen(html).links if not urlsplit(link).scheme]
            assert links
            assert all(link.startswith(("/data/", "#")) for link in links), asked
        assert get(site, "/data/search?q=silent").status_code == 200
