"""The assets and the pieces that pages share: from the pinned pair, in nobody else's brand, saying what is missing."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import html5lib
import pytest
from browser import npm_packages
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, TemplateNotFound
from markupsafe import Markup

from catalogue.dcat import Text

CHECKOUT = Path(__file__).parent.parent
TEMPLATES = CHECKOUT / "catalogue" / "web" / "templates"
STYLES = CHECKOUT / "static" / "dist" / "app.css"
UPSTREAM = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
PAGES = Environment(loader=ChoiceLoader([FileSystemLoader(TEMPLATES), UPSTREAM]), autoescape=True)


def macro(name: str) -> Any:
    return getattr(PAGES.get_template("macros.html").module, name)


# ---------------------------------------------------------------- the pinned pair


def test_the_macros_give_upstreams_html_for_every_example() -> None:
    examples = [
        (fixtures.parent.name, example)
        for fixtures in sorted((npm_packages() / "govuk-frontend/dist/govuk/components").glob("*/fixtures.json"))
        for example in json.loads(fixtures.read_text("utf-8"))["fixtures"]
    ]
    different = [
        (name, one["name"]) for name, one in examples if tree(rendered(name, one["options"])) != tree(one["html"])
    ]
    assert not different
    assert len(examples) > 600


def rendered(component: str, options: dict[str, Any]) -> str:
    called = "govuk" + component.title().replace("-", "")
    source = f"{{% from 'govuk_frontend_jinja/components/{component}/macro.html' import {called} %}}{{{{ {called}(given) }}}}"
    try:
        return PAGES.from_string(source).render(given=options)
    except TemplateNotFound:
        return "there is no such macro"


def tree(html: str) -> Any:
    """Elements, attributes and words, with white space evened out: the macros indent in their own way."""

    def even(words: str | None) -> str:
        return " ".join((words or "").split())

    def shape(element: Any) -> tuple[Any, ...]:
        attributes = sorted((name, even(value)) for name, value in element.attrib.items())
        return str(element.tag), attributes, even(element.text), [(shape(child), even(child.tail)) for child in element]

    return shape(html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False))


# ---------------------------------------------------------------- what is built


@pytest.mark.parametrize("mark", ["GDS Transport", "@font-face", "govuk-crest", "govuk-logotype"])
def test_the_stylesheet_bears_no_mark_of_gov_uk(mark: str) -> None:
    assert mark not in STYLES.read_text("utf-8-sig")


def test_every_class_of_ours_in_a_template_is_styled() -> None:
    used = {
        name
        for page in TEMPLATES.rglob("*.html")
        for name in re.findall(r"\bapp-[a-z_-]*[a-z]\b(?![-_])", page.read_text("utf-8"))
    }
    styled = set(re.findall(r"\.(app-[a-z_-]+)", STYLES.read_text("utf-8-sig")))
    assert used - styled == set(), "misspelt, or static/src was changed since the last install"


def test_a_page_holds_no_style_and_no_script_of_its_own() -> None:
    for page in TEMPLATES.rglob("*.html"):
        source = re.sub(r"\{#.*?#\}", "", page.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(
            r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"application/ld\+json\"|[^>]* src=)", source
        ), page.name


def test_assets_are_built_when_their_sources_changed_and_only_then(tmp_path: Path) -> None:
    static = Path(
        shutil.copytree(CHECKOUT / "static", tmp_path / "static", ignore=shutil.ignore_patterns("node_modules"))
    )
    spec = importlib.util.spec_from_file_location("hatch_build", static / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook = module.Assets(str(tmp_path), {}, None, None, "", "wheel")
    assert hook.dependencies() == []
    (static / "src" / "_page.scss").write_text("a { color: red; }", "utf-8")
    assert hook.dependencies() == [module.NODE]


@pytest.mark.parametrize(
    "lock", sorted(p.relative_to(CHECKOUT) for p in CHECKOUT.glob(".ci/requirements*.txt")), ids=str
)
def test_a_lock_of_python_packages_names_no_address_and_hashes_everything(lock: Path) -> None:
    text = (CHECKOUT / lock).read_text("utf-8")
    assert not re.search(r"://|^-|@ file|/work|/home", text, flags=re.MULTILINE)
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 40
    assert all("==" in package and "--hash=sha256:" in package for package in packages)


@pytest.mark.parametrize("folder", ["static", "tests"])
def test_a_lock_of_npm_packages_names_no_address_and_hashes_everything(folder: str) -> None:
    text = (CHECKOUT / folder / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
    assert len(packages) > 10
    assert all(package["integrity"] for package in packages.values())


# ---------------------------------------------------------------- the pieces


@pytest.mark.parametrize("missing", [None, "", []])
def test_what_is_missing_says_so(missing: Any) -> None:
    assert "Not given" in macro("facts")([("Licence", missing)])


def test_words_keep_their_language_and_are_escaped() -> None:
    assert macro("said")(Text("Cyllid <b>", "cy")) == '<span lang="cy">Cyllid &lt;b&gt;</span>'
    assert macro("said")([Text("Finance", "en"), "Tax"]) == "Finance<br>Tax"
    assert macro("said")(Markup("<em>here</em>")) == "<em>here</em>"


def test_a_selected_option_is_never_folded_away() -> None:
    options = [option(f"org-{n}", selected=n == 40) for n in range(50)]
    html = macro("facet")(SimpleNamespace(name="organisation", label="Organisation", options=options, open=False))
    shown, folded = html.split("app-facet__more")
    assert "org-40" in shown
    assert "org-40" not in folded
    assert "Show 42 more" in folded
    assert re.search(r"<details[^>]* open", shown)


def option(value: str, selected: bool) -> SimpleNamespace:
    return SimpleNamespace(value=value, label=value, count=1204, selected=selected)


def test_pages_far_away_are_left_out_of_the_pager() -> None:
    html = macro("pager")(50, 99, "?page={}".format)
    assert re.findall(r'href="\?page=(\d+)" aria-label', html) == ["1", "48", "49", "50", "51", "52", "99"]
    assert macro("pager")(1, 1, "?page={}".format).strip() == ""
