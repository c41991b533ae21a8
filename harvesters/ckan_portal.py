"""A CKAN portal by its action API: every package once, by pages in order of id; a DKAN by its lists, as it has no search.

Portals change while they are read, so each page begins with the last dataset of the page before. When that one is not
there, datasets were taken away and others have moved up unseen: we go back until we know again where we are.
"""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ckanapi import RemoteCKAN
from ckanapi import errors as ckan

from catalogue.dcat import Identifier
from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Client, looks_like_html
from catalogue.source import FIRST, HarvestSource, PageEnd, SourceRecord, Visit
from harvesters import read
from harvesters.read import flat

Said = dict[str, Any]

PASSES = 2
PATIENCE = 20
NOT_DATASETS = {"harvest", "showcase"}
"""Packages in which extensions keep what is theirs: the portal's own harvest sources, its showcases."""


class NoSuchAction(Exception):
    """The portal does not have this action, or not the thing that was asked for."""


class TooMuch(Exception):
    """The answer is larger, or nested deeper, than can be read. It carries what ends the run when all answers are so."""


class Portal:
    """One portal, asked for its packages."""

    def __init__(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> None:
        self.address = re.sub(r"/*(?:/api(?:/.*)?|/dataset/?)?$", "", source.url.partition("?")[0])
        said = source.option("rows")
        self.rows = max(2, int(said)) if said.isdecimal() else 500
        filters = {"organization": source.option("organisation"), "groups": source.option("groups")}
        self.only = {field: set(re.findall(r"[^\s,]+", names)) for field, names in filters.items() if names}
        self.details: dict[str, Said] | None = {} if source.option("organisation-details") == "yes" else None
        self.searches = True
        self.visit = visit
        self.since = earlier(visit.since) if visit.since and source.option("changes") != "no" else ""
        self.mark = ""
        self.began = ""
        """When the portal first answered, by its own clock."""
        client.session.hooks["response"].append(self._hears)
        self._remotes = [
            RemoteCKAN(self.address, user_agent=client.agent, session=client.session, get_only=get)
            for get in (True, False)
        ]
        for remote in self._remotes:
            remote.base_url = source.option("api").strip("/") + "/"

    def packages(self) -> Iterator[Said | Problem | PageEnd]:
        """Every package once, or every one that changed. A second pass finds what slipped by while the portal changed."""
        seen, least = set(self.visit.seen), 0
        try:
            for number in range(PASSES):
                cursor = "" if number else self.visit.cursor
                least, count = yield from self.searched(seen, cursor, ends=not number)
                if len(seen) >= count:
                    return
        except NoSuchAction:
            if seen:
                raise self.incomplete("stopped answering package_search") from None
            self.searches = False
            yield from self.listed()
            return
        if len(seen) < least:  # else only what came while we read is missing
            raise self.incomplete(f"says that it has {least} datasets, and gave {len(seen)}")

    def searched(
        self, seen: set[str], cursor: str, *, ends: bool
    ) -> Generator[Said | Problem | PageEnd, None, tuple[int, int]]:
        """Those not seen before, page by page. Returns how many the portal said it has: the least, and the last."""
        passed, before, counts, unread, rows = set[str](), list[str](), set[int](), list[Problem](), self.rows
        overlap, back, troubles = 0, 1, 0
        if cursor:  # gone on from: much may have changed since the attempt before
            passed, overlap = set(self.visit.seen), 1
        at, start = cursor, int(cursor or 0)
        while troubles <= PATIENCE:
            try:
                count, page = self.page(start, rows)
            except TooMuch as much:
                if rows == 1:
                    unread.append(
                        unreadable("One dataset is too large or nested too deep to be read.", f"start={start}")
                    )
                    start, overlap, troubles = start + 1, 0, troubles + 1
                    if len(unread) > 2 and not passed:
                        raise much.args[0] from None
                rows = max(1, rows // 2)
                continue
            keys = [_key(package) or f"#{place}" for place, package in enumerate(page, start)]
            if overlap and before and keys == before:
                raise self.incomplete(f"gives the same page again for start={start}")
            if overlap and (not keys or keys[0] not in passed):
                start, back, troubles = max(0, start - (len(before) or rows)), 4 * back, troubles + 1
                overlap = min(overlap, start)
                continue
            for key, package in zip(keys, page, strict=True):
                if key not in seen:
                    yield package if isinstance(package, dict) else unreadable("A dataset is not a JSON object.", key)
                seen.add(key)
                self.mark = max(
                    self.mark, str(package.get("metadata_modified") or "") if isinstance(package, dict) else ""
                )
            passed.update(keys)
            counts.add(count)
            yield from unread
            unread.clear()
            last = not keys or start + len(keys) >= count
            overlap = min(back, len(keys) // 2)
            start, before, rows = start + len(keys) - overlap, keys, min(self.rows, rows * 2)
            following = "" if last else str(start)
            if ends:  # a second pass is not one to go on from
                # what is dated later may have changed behind us, or in no year of ours
                mark = min(self.mark, self.began)
                yield PageEnd(at=at, next=following, mark=mark, changes_only=bool(self.since))
            if last:
                return min(counts), count
            at = following
        yield from unread
        raise self.incomplete("changes faster than it can be read, or has too much that cannot be")

    def _hears(self, answer: Any, **_: Any) -> None:
        self.began = self.began or read.moment(answer.headers.get("Date", "")) or datetime.now(UTC).isoformat()

    def page(self, start: int, rows: int) -> tuple[int, list[Any]]:
        """How many there are, and some of them. A portal that cannot say what changed is asked for everything."""
        try:
            return self.asked_for(start, rows)
        except SourceUnavailable as refused:
            if not self.since or refused.rule != REFUSED:
                raise
            self.since = ""
            return self.asked_for(start, rows)

    def asked_for(self, start: int, rows: int) -> tuple[int, list[Any]]:
        query = " ".join(f"{field}:({' OR '.join(sorted(names))})" for field, names in self.only.items())
        query = query if " OR " in query else query.replace("(", "").replace(")", "")
        query = " ".join(filter(None, (query, f"metadata_modified:[{self.since} TO *]" if self.since else "")))
        answer = self.ask("package_search", sort="id asc", rows=rows, start=start, **({"fq": query} if query else {}))
        count, page = (answer.get("count"), answer.get("results")) if isinstance(answer, dict) else (None, None)
        if not isinstance(count, int) or not isinstance(page, list):
            raise self.unavailable("answered package_search with something other than datasets")
        return count, page

    def listed(self) -> Iterator[Said | Problem]:
        """What the portal lists: in bulk where it can, one by one where it must."""
        try:
            names = {name for name in flat(self.ask("package_list")) if isinstance(name, str)}
        except (NoSuchAction, TooMuch):
            names = set()
        seen: set[str] = set()
        try:
            yield from self.bulk(names, seen)
        except (NoSuchAction, TooMuch, SourceUnavailable) as error:
            if not names:
                raise self.unavailable("has no action API that could be read", ELSEWHERE) from error
        for name in sorted(names - seen):
            try:
                shown = next(flat(self.ask("package_show", id=name)), None)  # a list in DKAN
            except NoSuchAction:  # it went while we read
                continue
            except TooMuch:
                shown = None
            if not isinstance(shown, dict):
                yield unreadable(f"The dataset {name} cannot be read.", name).about(name)
            elif _key(shown) not in seen:
                seen.add(_key(shown))
                yield shown

    def bulk(self, names: set[str], seen: set[str]) -> Iterator[Said]:
        """Many at once; `seen` learns their ids and names."""
        offset, fresh = 0, True
        while fresh and not (names and names <= seen):
            answer = self.ask("current_package_list_with_resources", limit=self.rows, offset=offset)
            page = [package for package in flat(answer) if isinstance(package, dict)]  # a list in a list in DKAN
            offset, fresh = offset + len(page), False
            for package in page:
                if _key(package) not in seen:
                    seen.update(str(package[field]) for field in ("id", "name") if package.get(field))
                    fresh = True
                    yield package

    def ask(self, action: str, **parameters: Any) -> Any:
        """What the action gives. By POST where the portal refuses GET."""
        try:
            return self._remotes[0].call_action(action, parameters)
        except ckan.NotFound:
            raise NoSuchAction from None
        except RecursionError:
            raise TooMuch(self.unavailable(f"nests its answer to {action} too deep to be read")) from None
        except SourceUnavailable as error:
            if error.rule == "answer-too-large":
                raise TooMuch(error) from None
            raise
        except REFUSALS as error:
            fix = "Check the source's options; ask the portal's owner what visitors may ask for."
            raise self.unavailable(f"refused {action}: {str(error)[:200]}", fix, REFUSED) from None
        except (ckan.CKANAPIError, ckan.ServerIncompatibleError, KeyError) as error:
            status, body = _answered(error)
        if status == 405 and len(self._remotes) > 1:
            del self._remotes[0]
            return self.ask(action, **parameters)
        if status in (400, 404):
            raise NoSuchAction
        what = "a web page" if looks_like_html(body[:4096].encode("utf-8", "replace")) else "something else"
        raise self.unavailable(
            f"answered {action} with {what} instead of CKAN's JSON (status {status or 200})", ELSEWHERE
        )

    def unavailable(self, what: str, fix: str = "", rule: str = "source-unavailable") -> SourceUnavailable:
        return SourceUnavailable(f"{self.address} {what}.", fix=fix, address=self.address, rule=rule)

    def incomplete(self, what: str) -> SourceUnavailable:
        return self.unavailable(f"{what}, so some may be missing", rule="source-incomplete")

    def shows(self, package: Said) -> bool:
        """Whether visitors see it as a dataset. What DKAN lists it also calls private; and its lists know no filter."""
        state, kind = (str(package.get(key) or "").lower() for key in ("state", "type"))
        if self.searches:
            wanted = str(package.get("private")).lower() != "true"
        else:
            wanted = all(names & set(map(_name, flat(package.get(field)))) for field, names in self.only.items())
        return wanted and state in ("", "active") and kind not in NOT_DATASETS

    def record(self, package: Said) -> SourceRecord | Problem:
        identifier = _key(package)
        name = str(package.get("name") or identifier)
        if not identifier:
            return unreadable("A dataset has neither id nor name.", str(package.get("title")))
        try:
            content = json.dumps(self.completed(package), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        except RecursionError:
            return unreadable(f"The dataset {name} is nested too deep to be read.", name).about(identifier)
        address = f"{self.address}/dataset/{name}"
        return SourceRecord(
            Identifier(identifier), content.encode("utf-8", "replace"), "application/json", address, name
        )

    def completed(self, package: Said) -> Said:
        """With what its organisation says of itself, where the source's owner wants that."""
        body = package.get("organization")
        if self.details is None or not isinstance(body, dict) or (body.get("email") and body.get("title")):
            return package
        name = str(body.get("id") or body.get("name"))
        if name not in self.details:
            try:
                shown = self.ask("organization_show", id=name, include_datasets=False)
            except (NoSuchAction, TooMuch):  # a courtesy: without it the dataset is still a dataset
                shown = {}
            self.details[name] = {key: shown[key] for key in OF_ORGANISATION if shown.get(key)}
        return {
            **package,
            "organization": {**self.details[name], **{key: value for key, value in body.items() if value}},
        }


OF_ORGANISATION = ("title", "email", "contact_email", "url", "website")
ELSEWHERE = "Give the portal's home address; if its API is somewhere else, say where in the option 'api'."
REFUSED = "source-refused"
REFUSALS = (ckan.NotAuthorized, ckan.ValidationError, ckan.SearchQueryError, ckan.SearchError, ckan.SearchIndexError)


def _answered(error: Exception) -> tuple[int, str]:
    """Status and body of an answer that ckanapi could make nothing of: it keeps them written as a list."""
    try:
        _, status, body = literal_eval(str(error))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return 0, ""
    return int(status), str(body)


OVERLAP = timedelta(hours=1)
"""Asked for twice, so that nothing slips between two visits."""


def earlier(mark: str) -> str:
    """A little before the newest change that was seen, by the portal's own clock; "" when that is no moment."""
    try:
        return (datetime.fromisoformat(mark).replace(tzinfo=None) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return ""


def _key(package: Any) -> str:
    return str(package.get("id") or package.get("name") or "") if isinstance(package, dict) else ""


def _name(said: Any) -> str:
    return str(said.get("name") if isinstance(said, dict) else said)


def unreadable(message: str, where: str) -> Problem:
    fix = "Ask the portal's owner to look at this dataset; its edit form shows which field is at fault."
    return Problem(rule="package-unreadable", message=message, fix=fix, where=where)
