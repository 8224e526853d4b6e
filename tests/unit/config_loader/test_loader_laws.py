"""Laws: the order of files and the hash seed do not matter; what is remembered is what is read."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_kit import load_folder, settings_of, write

from qase_iac.config import cache, files, loader, remembered
from qase_iac.config.declarations import Declaration, FileContent
from qase_iac.config.remembered import Folder
from qase_iac.globs import in_scope, is_suite_glob, matches

FOLDER: dict[str, str | bytes] = {
    "qase.yaml": "project: SHOP\ndefaults: {case: {priority: low}}\nscope: {suites: ['**']}\n",
    "a/suite.yaml": "title: A\ndefaults: {case: {custom_fields: {X: 1}}}\npolicy: {on_drift: keep}\n",
    "a/cases.yaml": "cases:\n  one: {title: One, steps: [a, {action: b, attachments: [x.png]}, {shared: s}], milestone: m}\n  two: {title: One}\n",
    "a/x.png": b"x",
    "a/b/suite.yaml": "title: B\nkey: /bee\n",
    "a/b/three.case.yaml": "title: Three\ntags: [z, y]\nparameters: {c: [1, 2]}\ngherkin: Given\n",
    "s.yaml": "shared_steps: {s: {title: S, steps: [do]}}\nmilestones: {m: {title: M, due_date: 2026-12-01}}\n",
    "p.yaml": "plans: {p: {title: P, cases: [one], select: {milestone: m, flaky: true}}}\nmoved: [{from: case.x, to: case.one}]\nremoved: [case.y]\nadopt: {case.two: 4}\n",
}
BROKEN: dict[str, str | bytes] = {
    **FOLDER,
    "bad/one.yaml": "cases: {one: {title: 4}, two: {titel: x}}\nplans: {q: {title: Q, cases: [no, thre]}}\n",
    "bad/two.yaml": "cases: {five: {title: T, milestone: n, suite: bea, severity: majr}}\nx: 1\n",
}


def answer(root: Path, **options: object) -> str:
    """Everything that loading tells, as one text."""
    found = load_folder(root, **options)
    settings, _ = settings_of(root)
    assert settings is not None
    desired = found.desired
    digest = found.digest or loader.config_digest(desired, settings)
    resources = [
        [
            str(each.address),
            each.attributes,
            each.local,
            each.protect,
            sorted(each.ignore),
            sorted(each.defaulted),
            str(each.source),
            each.order,
            asdict(each.policy),
        ]
        for each in desired.resources.values()
    ]
    past = [list(map(str, desired.moved)), list(map(str, desired.removed)), str(desired.adopt)]
    return json.dumps([digest, resources, past, found.files, [str(each) for each in found.diagnostics]], indent=1)


@pytest.mark.parametrize("folder", [FOLDER, BROKEN], ids=["good", "broken"])
def test_the_order_in_which_a_folder_lists_its_files(
    tmp_path: Path, folder: dict[str, str | bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, folder)
    first = answer(tmp_path)
    real = os.scandir

    class Shuffled:
        def __init__(self, path: str) -> None:
            with real(path) as scan:
                self.found = list(scan)
            random.shuffle(self.found)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.found

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(files.os, "scandir", Shuffled)
    for _ in range(5):
        assert answer(tmp_path) == first


@pytest.mark.parametrize("folder", [FOLDER, BROKEN], ids=["good", "broken"])
def test_the_hash_seed(tmp_path: Path, folder: dict[str, str | bytes]) -> None:
    write(tmp_path, folder)
    program = f"import sys, pathlib; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_loader_laws as t; print(t.answer(pathlib.Path({str(tmp_path)!r})))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(answers) == 1 and answers.pop().strip() == answer(tmp_path).strip()


# --- the cache


def composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are really parsed from now on."""
    names: list[str] = []
    real = loader.read_yaml

    def counted(data: bytes, name: str) -> object:
        names.append(name)
        return real(data, name)

    monkeypatch.setattr(loader, "read_yaml", counted)
    return names


@pytest.mark.parametrize("folder", [FOLDER, BROKEN], ids=["good", "broken"])
def test_warm_is_cold(tmp_path: Path, folder: dict[str, str | bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, folder)
    cold = answer(root)
    assert answer(root, cache_dir=kept) == cold
    (file,) = kept.glob("parsed-*")
    before = file.stat()
    parsed = composed(monkeypatch)
    assert answer(root, cache_dir=kept) == cold
    assert parsed == [name for name in sorted(folder) if name.startswith("bad/")]
    if not parsed:
        assert file.stat().st_mtime_ns == before.st_mtime_ns and file.stat().st_ino == before.st_ino
    # One edit: that file alone is read; the rest is as before.
    write(root, {**folder, "s.yaml": str(folder["s.yaml"]).replace("title: M", "title: N")})
    parsed.clear()
    assert '"title": "N"' in answer(root, cache_dir=kept)
    assert [name for name in parsed if not name.startswith("bad/")] == ["s.yaml"]


def test_the_same_bytes_under_another_shape_are_another_file(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    text = "title: T\n"
    write(root, {"a.case.yaml": text, "a/suite.yaml": text, "b.case.yaml": "title: U\n"})
    first = answer(root, cache_dir=kept)
    assert answer(root, cache_dir=kept) == first == answer(root)


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    answer(root, cache_dir=kept)
    (file,) = kept.glob("parsed-*")
    lines = file.read_bytes().count(b"\n")
    (root / "p.yaml").unlink()
    answer(root, cache_dir=kept)
    assert file.read_bytes().count(b"\n") == lines - 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"One", b"Two"),
        lambda data: b"[" * 100_000,
        lambda data: data.replace(cache.parsers_digest().encode(), b"0" * 64),
        lambda data: b"\xff\xfe" + data,
        lambda data: b'{"key":"x","files":{"qase.yaml":1,"a.yaml":[1]}}\n' + data,
        lambda data: b'{"key":"x","files":[1]}\n' + data,
    ],
)
@pytest.mark.parametrize("which", ["parsed", "folder"])
def test_a_damaged_cache_is_as_none(tmp_path: Path, damage: object, which: str) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    cold = answer(root, cache_dir=kept)
    (file,) = kept.glob(f"{which}-*")
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    if which == "parsed":
        for whole in kept.glob("folder-*"):
            whole.unlink()
    assert answer(root, cache_dir=kept) == cold
    assert answer(root, cache_dir=kept) == cold


def test_an_unchanged_folder_is_recalled_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    cold = answer(root, cache_dir=kept)
    for file in kept.glob("parsed-*"):
        file.unlink()
    parsed = composed(monkeypatch)
    assert answer(root, cache_dir=kept) == cold == answer(root)
    assert load_folder(root, cache_dir=kept).digest
    assert set(parsed) == set(FOLDER) - {"qase.yaml", "a/x.png"}  # by the load without a cache alone
    assert len(parsed) == len(set(parsed))


def reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the content files that are read from now on."""
    read, seen = files.read, list[str]()

    def noted(file: files.SourceFile) -> object:
        seen.append(file.name)
        return read(file)

    monkeypatch.setattr(files, "read", noted)
    return seen


def test_files_that_were_left_alone_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "RACY", -1_000_000_000)  # these files are young
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    cold = answer(root, cache_dir=kept)
    seen = reading(monkeypatch)
    assert answer(root, cache_dir=kept) == cold
    assert set(seen) <= {files.PROJECT_FILE, files.CATALOGUE_FILE}
    (kept_file,) = kept.glob("folder-*")
    kept_file.unlink()
    assert answer(root, cache_dir=kept) == cold
    assert {"a/cases.yaml", "s.yaml", "p.yaml"} <= set(seen)


def test_young_files_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    cold = answer(root, cache_dir=kept)
    seen = reading(monkeypatch)
    assert answer(root, cache_dir=kept) == cold
    assert {"a/cases.yaml", "s.yaml", "p.yaml"} <= set(seen)


@pytest.mark.parametrize("racy", [-1_000_000_000, remembered.RACY])
def test_a_change_that_hides_its_time_and_size_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, racy: int
) -> None:
    monkeypatch.setattr(remembered, "RACY", racy)
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, {"c.yaml": "cases: {a: {title: One}}\n"})
    first = answer(root, cache_dir=kept)
    assert answer(root, cache_dir=kept) == first
    before = (root / "c.yaml").stat()
    (root / "c.yaml").write_text("cases: {a: {title: Two}}\n")
    os.utime(root / "c.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert answer(root, cache_dir=kept) == answer(root) != first


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is made of known digests, one other file makes the folder unknown, and then a trusted file changes."""
    monkeypatch.setattr(remembered, "RACY", -1_000_000_000)
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, {"a.yaml": "cases: {a: {title: One}}\n", "b.yaml": "cases: {b: {title: B}}\n"})
    answer(root, cache_dir=kept)
    (kept_file,) = kept.glob("folder-*")
    before = kept_file.read_bytes()
    (root / "b.yaml").write_text("cases: {b: {title: C}}\n")
    content = Folder._key

    def late(self: Folder, *given: Any) -> str:
        key = content(self, *given)
        (root / "a.yaml").write_text("cases: {a: {title: Two}}\n")
        return key

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Folder, "_key", late)
        assert "Two" in str(answer(root, cache_dir=kept))
    assert kept_file.read_bytes() == before


def test_a_changed_attachment_is_seen_although_the_files_are_not_read(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    content = "cases:\n  a:\n    title: A\n    attachments: [x.txt]\n"
    write(root, {"c.yaml": content, "x.txt": "one"})
    first = answer(root, cache_dir=kept)
    assert answer(root, cache_dir=kept) == first
    (root / "x.txt").write_text("two")
    second = answer(root, cache_dir=kept)
    assert second != first and second == answer(root)
    (root / "x.txt").unlink()
    assert "attachment-missing" in answer(root, cache_dir=kept)


def test_a_line_of_another_shape_is_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    cold = answer(root)
    with monkeypatch.context() as patch:
        patch.setattr(FileContent, "to_json", lambda self: [[1], 2])
        answer(root, cache_dir=kept)
    assert answer(root, cache_dir=kept) == cold


def test_a_cache_that_cannot_be_written_is_no_harm(tmp_path: Path) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    kept.write_text("a file in the way")
    assert answer(root, cache_dir=kept) == answer(root)


def test_nothing_is_remembered_when_the_parsers_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, kept = tmp_path / "root", tmp_path / "cache"
    write(root, FOLDER)
    monkeypatch.setattr(cache, "parsers_digest", lambda: "")
    assert answer(root, cache_dir=kept) == answer(root)
    assert not kept.exists()


def test_the_digest_of_the_parsers_needs_their_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise OSError

    cache.parsers_digest.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert cache.parsers_digest() == ""
    cache.parsers_digest.cache_clear()
    assert len(cache.parsers_digest()) == 64


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), JSON), st.dictionaries(st.text(), JSON), st.lists(st.text()))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_content_survives_json(attributes: dict[str, object], local: dict[str, object], ignore: list[str]) -> None:
    content = FileContent([Declaration("case", "k", 1, 2, -1, attributes, local, None, ignore)], policy={"a": "b"})
    assert FileContent.from_json(json.loads(json.dumps(content.to_json()))) == content


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("checkout", ["checkout"], ["checkout/a", None, "check"]),
        ("checkout/**", ["checkout", "checkout/a", "checkout/a/b"], ["checkouts", None, "a/checkout"]),
        ("*", ["a", "b.c"], ["a/b", None]),
        ("a/*", ["a/b"], ["a", "a/b/c"]),
        ("a/?", ["a/b"], ["a/bc"]),
        ("**", ["a", "a/b", None], []),
        ("**/x", ["x", "a/x", "a/b/x"], ["a", "x/a", None]),
        ("a/**/x", ["a/x", "a/b/c/x"], ["a", "x"]),
        (".", [None], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_suite_patterns(pattern: str, yes: list[str | None], no: list[str | None]) -> None:
    assert is_suite_glob(pattern)
    assert [key for key in (*yes, *no) if matches(pattern, key)] == yes


def test_what_lies_below_counts_by_nesting() -> None:
    assert in_scope(["a/**"], ["elsewhere", "a"])
    assert not in_scope(["a"], ["elsewhere", "a"])
    assert in_scope(["a", "elsewhere"], ["elsewhere", "a"])
