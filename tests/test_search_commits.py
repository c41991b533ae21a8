"""What a commit of the Whoosh engine survives, who may commit when, and how damage is noticed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from whoosh import fields
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex

from catalogue.search import Document, IndexBusy, IndexUnusable, Query
from catalogue.search.whoosh import WhooshIndex
from catalogue.search.whoosh_build import build
from catalogue.search.whoosh_files import NAME, MappedStorage, changing, contents, locked
from catalogue.testing.documents import documents, questions


@pytest.fixture
def index(tmp_path) -> WhooshIndex:
    return WhooshIndex(f"whoosh:{tmp_path}/index", patience=20)


def again(index: WhooshIndex) -> WhooshIndex:
    """The same index as another process sees it."""
    return WhooshIndex(f"whoosh:{index.folder}", patience=20)


def batch(serial: int, size: int = 30) -> list[Document]:
    """Documents that say which batch they are from."""
    return [Document(id=f"n-{n}", title=f"Number {n}", keywords=(f"batch{serial}",)) for n in range(size)]


# ---- commits that survive

WRITER = """
import sys
from catalogue.search import Document
from catalogue.search.whoosh import WhooshIndex
index = WhooshIndex("whoosh:" + sys.argv[1])
for serial in range(index.serial + 1, 1000):
    batch = [Document(id=f"n-{n}", title=f"Number {n}", keywords=(f"batch{serial}",)) for n in range(30)]
    index.apply(batch, [], serial)
    print(serial, flush=True)
"""


def writing(index: WhooshIndex) -> subprocess.Popen[str]:
    """Another process that commits one batch after the other and says so."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(index.folder)], stdout=subprocess.PIPE, text=True)


def test_a_writer_killed_at_any_moment_leaves_content_and_serial_together(index):
    chance = random.Random(7)
    for _ in range(6):
        with writing(index) as writer:
            acknowledged = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.4))
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        serial = again(index).serial
        assert acknowledged <= serial <= acknowledged + 1
        assert again(index).count() == again(index).search(Query(words=f"batch{serial}")).total == 30
    index.apply(batch(2000), (), 2000)
    assert not [name for name in index.folder.iterdir() if name.name.endswith(".tmp")]
    named = contents(MappedStorage(str(index.folder))).schema.stamp.sizes
    assert {path.name for path in index.folder.iterdir() if path.suffix in (".trm", ".pst", ".col")} == set(named)


def test_readers_see_whole_commits_while_another_process_writes(index):
    index.apply(batch(1), (), 1)
    seen = []
    with writing(index) as writer:
        until = time.monotonic() + 30
        while len(set(seen)) < 5 and time.monotonic() < until:
            answer = index.search(Query(words="number", per_page=30))
            assert answer.total == 30
            assert counted(answer.facets) == {}
            seen.append(index.serial)
        writer.kill()
    assert seen == sorted(seen)
    assert len(set(seen)) == 5


def counted(facets) -> Counter[str]:
    return Counter(value.value for facet in facets for value in facet.values)


class Recording(MappedStorage):
    """Notes what is flushed and what is named, in order."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.noted: list[str] = []

    def flush(self, name):
        super().flush(name)
        self.noted.append(name)

    def rename_file(self, oldname, newname, safe=False):
        super().rename_file(oldname, newname, safe)
        self.noted.append(f"named {newname}")


def test_everything_is_on_the_disk_before_it_is_named(index):
    index.apply(batch(1), (), 1)
    files = Recording(str(index.folder))
    with changing(files) as change:
        build(change, batch(2))
        change.commit()
    *before, toc, folder, named = files.noted
    new = change.segments[1].segment_id()
    assert sorted(before) == sorted(path.name for path in index.folder.iterdir() if path.name.startswith(new))
    assert toc.startswith(f"_{NAME}_2.toc.")
    assert (folder, named) == ("", f"named _{NAME}_2.toc")


def test_two_writers_take_turns(index):
    def write(letter: str) -> None:
        for n in range(8):
            again(index).apply([Document(id=f"{letter}-{n}-{each}", title="Both") for each in range(5)], (), 1)

    threads = [Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.count() == index.search(Query(words="both")).total == 80


def test_a_writer_that_waits_too_long_says_so(index):
    index.apply(batch(1), (), 1)
    with locked(MappedStorage(str(index.folder))):
        hurried = WhooshIndex(f"whoosh:{index.folder}", patience=0.2)
        for attempt in (lambda: hurried.apply(batch(2), (), 2), hurried.clear):
            with pytest.raises(IndexBusy, match="try again"):
                attempt()
        assert hurried.serial == 1


def test_threads_of_a_server_may_share_an_index(index):
    for start in (0, 100, 180):
        index.apply(documents(100, start=start), (), 1)
    asked = [replace(each, per_page=5) for each in questions(45, 280)]
    expected = [index.search(each) for each in asked]
    fresh, wrong = again(index), []

    def ask(seed: int) -> None:
        for number in random.Random(seed).sample(range(len(asked)), len(asked)):
            if fresh.search(asked[number]) != expected[number]:
                wrong.append(asked[number])

    threads = [Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_open_index_sees_what_another_did(index):
    other = again(index)
    assert index.count() == other.count() == 0
    for serial in (1, 2, 3):
        other.apply(batch(serial), (), serial)
        assert index.serial == serial
        assert index.search(Query(words=f"batch{serial}")).total == 30
    other.clear()
    assert (index.serial, index.count()) == (0, 0)
    other.apply(batch(1), (), 1)
    for path in index.folder.iterdir():
        path.unlink()
    assert (index.serial, index.count()) == (0, 0)


# ---- damage


def damages(path: Path) -> list[bytes | None]:
    """A file gone, cut short, emptied, and of the right size but overwritten."""
    content = path.read_bytes()
    return [None, content[: len(content) // 2], b"", bytes(len(content))]


@pytest.mark.parametrize("kind", ["trm", "pst", "id.col", "name.col"])
def test_damage_is_noticed_and_mended(index, kind):
    index.apply(documents(30), (), 5)
    healthy = index.search(Query(words="road data"))
    for number in range(4):
        path = next(index.folder.glob(f"*.{kind}"))
        damage = damages(path)[number]
        path.unlink() if damage is None else path.write_bytes(damage)
        with pytest.raises(IndexUnusable, match="rebuild"):
            again(index).search(Query(words='"road data" ro*', sort="title"))
        index.replace(documents(30), 5)
        assert index.search(Query(words="road data")) == healthy


def test_a_damaged_table_of_contents_is_noticed(index):
    for damage in (b"", b"x", bytes(5_000)):
        index.replace(documents(3), 5)
        next(index.folder.glob("*.toc")).write_bytes(damage)
        with pytest.raises(IndexUnusable, match="rebuild"):
            assert again(index).serial
    next(index.folder.glob("*.toc")).unlink()
    assert (again(index).serial, again(index).count()) == (0, 0)


def test_half_a_row_file_is_noticed(index):
    index.apply(documents(30), (), 5)
    row = next(index.folder.glob("*.row.col"))
    row.write_bytes(row.read_bytes()[:-1])
    with pytest.raises(IndexUnusable, match="rebuild"):
        assert again(index).serial


def test_an_index_of_somebody_else_is_not_touched_but_replaced_when_told(index):
    index.folder.mkdir(parents=True)
    (index.folder / "notes.txt").write_text("keep me")
    FileIndex.create(FileStorage(str(index.folder)), fields.Schema(title=fields.TEXT), NAME)
    for attempt in (index.count, lambda: index.apply(batch(1), (), 1), lambda: index.search(Query())):
        with pytest.raises(IndexUnusable, match="another version"):
            attempt()
    index.replace(batch(1), 1)
    assert (index.serial, index.count()) == (1, 30)
    assert (index.folder / "notes.txt").read_text() == "keep me"


def test_an_index_of_an_earlier_version_is_built_again(index):
    index.apply(batch(1), (), 1)
    files = MappedStorage(str(index.folder))
    toc = contents(files)
    toc.schema.stamp = replace(toc.schema.stamp, version=0)
    TOC(toc.schema, toc.segments, toc.generation + 1).write(files, NAME)
    with pytest.raises(IndexUnusable, match="another version"):
        index.count()
