# mypy: disable-error-code="no-untyped-call"
"""Where a Whoosh index is kept and how it changes: one writer at a time, and everything on the disk before it is named."""

# Whoosh is typed in part: what it does not type may be called from here.

from __future__ import annotations

import os
import pickle
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO, cast

from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.filetables import FileFormatError
from whoosh.filedb.structfile import StructFile
from whoosh.index import TOC, EmptyIndexError, clean_files
from whoosh.index import IndexError as WhooshIndexError
from whoosh.reading import CorruptIndexError
from whoosh.util.filelock import try_for

from catalogue.search import IndexBusy, IndexUnusable
from catalogue.search.whoosh_fields import VERSION, Stamp, StampedSchema, schema

NAME = "MAIN"
PATIENCE = 60.0  # seconds that a writer waits for another

# What Whoosh and pickle raise over a file whose content is not what it was.
DAMAGE = (
    CorruptIndexError, FileFormatError, WhooshIndexError, pickle.UnpicklingError, struct.error, zlib.error, EOFError, MemoryError,
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, TypeError, ValueError,
)  # fmt: skip


class MappedStorage(FileStorage):
    """Reads files through memory maps: no system call per term, and forked servers do not share a place in a file."""

    def open_file(self, name: str, **options: Any) -> StructFile:
        """A file to read."""
        with open(self._fpath(name), "rb") as file:
            if os.fstat(file.fileno()).st_size:
                return StructFile(cast(BinaryIO, mmap(file.fileno(), 0, access=ACCESS_READ)), name=name)
        return cast(StructFile, super().open_file(name, **options))

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Whoosh renames its table of contents last; that is the moment of the commit, so nothing may still be in a cache."""
        self.flush(oldname)
        super().rename_file(oldname, newname, safe)
        self.flush("")

    def flush(self, name: str) -> None:
        """Wait until a file, or with "" the list of files, is on the disk."""
        handle = os.open(os.path.join(self.folder, name), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass
class Change:
    """A commit in the making, held by the one writer: the segments to be, and the serial to be."""

    files: MappedStorage
    schema: StampedSchema
    generation: int
    segments: list[Any]
    serial: int

    def commit(self) -> None:
        """Flush the new files, name them, the serial and all sizes in a new table of contents, remove what is not named."""
        known = self.schema.stamp.sizes
        ours = {segment.segment_id() for segment in self.segments}
        names = [name for name in self.files.list() if name.partition(".")[0] in ours]
        for name in names:
            if name not in known:
                self.files.flush(name)
        self.schema.stamp = Stamp(serial=self.serial, sizes={name: self.files.file_length(name) for name in names})
        TOC(self.schema, self.segments, self.generation).write(self.files, NAME)
        clean_files(self.files, NAME, self.generation, self.segments)


def opened(folder: Path) -> MappedStorage:
    """The directory of an index, with at least an empty index in it."""
    files = MappedStorage(str(folder))
    if TOC._latest_generation(files, NAME) < 0:
        with locked(files):
            if TOC._latest_generation(files, NAME) < 0:
                afresh(files).commit()
    return files


def contents(files: MappedStorage) -> TOC:
    """The table of contents of the latest commit, if it is one of ours."""
    try:
        toc = TOC.read(files, NAME)
    except EmptyIndexError:
        raise FileNotFoundError(files.folder) from None
    stamp = getattr(toc.schema, "stamp", None)
    if not isinstance(toc.schema, StampedSchema) or not isinstance(stamp, Stamp) or stamp.version != VERSION:
        raise IndexUnusable(f"The search index in {files.folder} was written by another version: rebuild it.")
    return cast(TOC, toc)


def toc_path(files: MappedStorage, generation: int) -> str:
    """Where the table of contents of a commit is."""
    return os.path.join(files.folder, TOC._filename(NAME, generation))


@contextmanager
def intact(files: MappedStorage) -> Iterator[None]:
    """Around reading and nothing else: what goes wrong here is the fault of the files."""
    try:
        yield
    except DAMAGE as problem:
        raise IndexUnusable(f"The search index in {files.folder} is damaged ({problem!r}): rebuild it.") from problem


@contextmanager
def changing(files: MappedStorage, patience: float = PATIENCE) -> Iterator[Change]:
    """The right to change the index, and the index to change. Nothing happens to it unless `commit` is called."""
    with locked(files, patience):
        with intact(files):
            toc = contents(files)
        yield Change(files, toc.schema, toc.generation + 1, toc.segments, toc.schema.stamp.serial)


@contextmanager
def locked(files: MappedStorage, patience: float = PATIENCE) -> Iterator[None]:
    """Whoosh's own lock; the system opens it when its owner dies."""
    lock = files.lock(f"{NAME}_WRITELOCK")
    if not try_for(lock.acquire, timeout=patience, delay=0.1):
        raise IndexBusy(
            f"Another process has been writing to {files.folder} for {patience:g} seconds: try again later."
        )
    try:
        yield
    finally:
        rmtree(os.path.join(files.folder, f"{NAME}.tmp"), ignore_errors=True)  # what half-written segments leave
        lock.release()


def afresh(files: MappedStorage, serial: int = 0) -> Change:
    """A change that begins with nothing, whatever is there; its number is a new one, so that open readers notice."""
    return Change(files, schema(), TOC._latest_generation(files, NAME) + 1, [], serial)
