"""Storage: one SQLite table of JSON documents, with the few columns that lists are looked up by.

Every kind lives in ``entity``. Ids are counted per project for what Qase numbers per project and per
workspace (project ``""``) for the rest (section 16.2). ``key`` is the other identity of a kind
(hash, uuid, project code, tag title), ``parent`` the suite of a case or of a suite.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS entity (
  kind TEXT NOT NULL, project TEXT NOT NULL, id INTEGER NOT NULL, key TEXT, parent INTEGER, doc TEXT NOT NULL,
  PRIMARY KEY (kind, project, id));
CREATE INDEX IF NOT EXISTS entity_key ON entity (kind, project, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS entity_parent ON entity (kind, project, parent, id);
CREATE TABLE IF NOT EXISTS counter (project TEXT, name TEXT, value INTEGER, PRIMARY KEY (project, name));
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS blob (hash TEXT PRIMARY KEY, content BLOB);
CREATE TABLE IF NOT EXISTS uses (
  project TEXT, hash TEXT, case_id INTEGER, PRIMARY KEY (project, hash, case_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uses_case ON uses (project, case_id);
"""

# A multiplier that scatters small ids: an order that is neither id nor reverse, yet the same each time.
ORDERS = {"id": "id", "reverse": "id DESC", "random-but-stable": "(id * 2654435761) % 4294967291, id"}


class Store:
    """One connection behind one lock; a request is one transaction."""

    def __init__(self, database: str | os.PathLike[str] | None = None) -> None:
        path = ":memory:" if database is None else os.fspath(database)
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        # Nothing here survives a power cut, and need not: tests want speed. A killed process loses nothing.
        for pragma in ("synchronous=OFF", "journal_mode=TRUNCATE", "temp_store=MEMORY", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        with self.transaction(write=True):
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            if self.meta("salt") is None:
                self.set_meta("salt", secrets.token_hex(8))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def transaction(self, *, write: bool) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def copy(self) -> Store:
        """A frozen copy in memory, for answers that are out of date."""
        other = Store()
        with self._lock:
            self._db.backup(other._db)
        return other

    # -- entities ------------------------------------------------------------------------------------

    def put(self, kind: str, project: str, doc: Doc, *, key: str | None = None, parent: int | None = None) -> None:
        text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
        self._db.execute(
            "INSERT INTO entity (kind, project, id, key, parent, doc) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (kind, project, id) DO UPDATE SET key = excluded.key, parent = excluded.parent, "
            "doc = excluded.doc",
            (kind, project, doc["id"], key, parent, text),
        )

    def get(self, kind: str, project: str, id: int) -> Doc | None:
        sql = "SELECT doc FROM entity WHERE kind = ? AND project = ? AND id = ?"
        return self._one(sql, (kind, project, id))

    def find(self, kind: str, project: str, key: str) -> Doc | None:
        sql = "SELECT doc FROM entity WHERE kind = ? AND project = ? AND key = ?"
        return self._one(sql, (kind, project, key))

    def exists(self, kind: str, project: str, id: int) -> bool:
        sql = "SELECT 1 FROM entity WHERE kind = ? AND project = ? AND id = ?"
        return self._db.execute(sql, (kind, project, id)).fetchone() is not None

    def delete(self, kind: str, project: str, id: int) -> None:
        self._db.execute("DELETE FROM entity WHERE kind = ? AND project = ? AND id = ?", (kind, project, id))

    def each(self, kind: str, project: str, *, parents: list[int] | None = None, order: str = "id",
             limit: int = -1, offset: int = 0) -> Iterator[Doc]:  # fmt: skip
        where, values = self._where(kind, project, parents)
        sql = f"SELECT doc FROM entity WHERE {where} ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?"
        for row in self._db.execute(sql, (*values, limit, offset)):
            yield json.loads(row[0])

    def select(self, kind: str, project: str, *, parents: list[int] | None = None, order: str = "id",
               limit: int = -1, offset: int = 0) -> list[Doc]:  # fmt: skip
        return list(self.each(kind, project, parents=parents, order=order, limit=limit, offset=offset))

    def count(self, kind: str, project: str, parents: list[int] | None = None) -> int:
        where, values = self._where(kind, project, parents)
        return int(self._db.execute(f"SELECT count(*) FROM entity WHERE {where}", values).fetchone()[0])

    def count_by_parent(self, kind: str, project: str) -> dict[int | None, int]:
        sql = "SELECT parent, count(*) FROM entity WHERE kind = ? AND project = ? GROUP BY parent"
        return dict(self._db.execute(sql, (kind, project)).fetchall())

    def parents(self, kind: str, project: str) -> dict[int, int | None]:
        sql = "SELECT id, parent FROM entity WHERE kind = ? AND project = ?"
        return dict(self._db.execute(sql, (kind, project)).fetchall())

    def projects(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT DISTINCT project FROM entity WHERE project <> ''")]

    def purge(self, project: str) -> None:
        for table in ("entity", "counter", "uses"):
            self._db.execute(f"DELETE FROM {table} WHERE project = ?", (project,))

    def _one(self, sql: str, values: tuple[object, ...]) -> Doc | None:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else json.loads(row[0])

    @staticmethod
    def _where(kind: str, project: str, parents: list[int] | None) -> tuple[str, tuple[object, ...]]:
        if parents is None:
            return "kind = ? AND project = ?", (kind, project)
        marks = ", ".join("?" * len(parents))
        return f"kind = ? AND project = ? AND parent IN ({marks})", (kind, project, *parents)

    # -- counters, notes, files ----------------------------------------------------------------------

    def next(self, project: str, name: str, step: int = 1) -> int:
        sql = ("INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (project, name) DO UPDATE SET value = value + ? "
               "RETURNING value")  # fmt: skip
        return int(self._db.execute(sql, (project, name, step, step)).fetchone()[0])

    def raise_counter(self, project: str, name: str, least: int) -> None:
        """Ids chosen by the caller are never handed out again."""
        sql = ("INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (project, name) "
               "DO UPDATE SET value = max(value, excluded.value)")  # fmt: skip
        self._db.execute(sql, (project, name, least))

    def meta(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def put_blob(self, hash: str, content: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO blob VALUES (?, ?)", (hash, content))

    def blob(self, hash: str) -> bytes | None:
        row = self._db.execute("SELECT content FROM blob WHERE hash = ?", (hash,)).fetchone()
        return None if row is None else bytes(row[0])

    def drop_blob(self, hash: str) -> None:
        self._db.execute("DELETE FROM blob WHERE hash = ?", (hash,))

    # -- which case uses which shared step ------------------------------------------------------------

    def set_uses(self, project: str, case_id: int, hashes: set[str]) -> None:
        self._db.execute("DELETE FROM uses WHERE project = ? AND case_id = ?", (project, case_id))
        rows = [(project, hash, case_id) for hash in hashes]
        self._db.executemany("INSERT INTO uses VALUES (?, ?, ?)", rows)

    def users_of(self, project: str, hash: str) -> list[int]:
        sql = "SELECT case_id FROM uses WHERE project = ? AND hash = ? ORDER BY case_id"
        return [row[0] for row in self._db.execute(sql, (project, hash))]
