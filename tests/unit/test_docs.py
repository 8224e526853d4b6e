"""The documentation says what is so: its links lead somewhere, its examples load, its sessions are run again."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import httpx
import pytest
import yaml

from qase_iac.cli.main import COMMANDS, main
from qase_iac.diagnostics import Severity
from qase_iac.emulator import create_app, load_seed
from qase_iac.emulator.seed import check_seed
from qase_iac.workflow.session import Ask, Session, World

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"})
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<body>.*?)^ *```$", re.DOTALL | re.MULTILINE)
FORBIDDEN = ("/work/", "../shared", "/root/", "/tmp/", "pypi.org", "site-packages")

each_doc = pytest.mark.parametrize("doc", DOCS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(doc: Path) -> str:
    return doc.read_text(encoding="utf-8")


def blocks(doc: Path, *words: str) -> list[str]:
    """The bodies of the fenced blocks whose info string is exactly these words."""
    return [match["body"] for match in FENCE.finditer(text_of(doc)) if match["info"].split() == list(words)]


# -- links and words


def anchors(doc: Path) -> set[str]:
    prose = FENCE.sub("", text_of(doc))
    headings = re.findall(r"^#+ +(.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_doc
def test_links_lead_somewhere(doc: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", lambda m: m.group() if "](" not in m.group() else "", FENCE.sub("", text_of(doc)))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (doc.parent / path).resolve() if path else doc
        assert found.exists(), f"{doc.name}: {target}"
        assert found.is_relative_to(ROOT), f"{doc.name}: {target}"
        if anchor:
            assert anchor in anchors(found), f"{doc.name}: {target}"


@each_doc
def test_nothing_of_this_machine_is_mentioned(doc: Path) -> None:
    assert [word for word in FORBIDDEN if word in text_of(doc)] == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        doc = todo.pop()
        if doc in reached or doc.suffix != ".md":
            continue
        reached.add(doc)
        for target in re.findall(r"\]\(([^)\s#]+\.md)", text_of(doc)):
            if not target.startswith("https://"):
                todo.append((doc.parent / target).resolve())
    ours = {doc for doc in DOCS if doc.name not in ("performance.md", "mutants.md", "CHANGELOG.md")}
    assert ours - reached == set()


# -- commands


def code_of(doc: Path) -> str:
    """What stands in code: fenced blocks and spans."""
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(doc)))
    return "\n".join([*(match["body"] for match in FENCE.finditer(text_of(doc))), *spans])


def options_of(command: click.Command) -> set[str]:
    found = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found |= options_of(inner)
    return found


@each_doc
def test_commands_and_options_exist(doc: Path) -> None:
    called = re.findall(r"\bqase-iac((?: +-{1,2}[\w-]+(?: +[^\s-]\S*)?)*) +([a-z][a-z-]*)", code_of(doc))
    unknown = {name for options, name in called if name not in COMMANDS and not options}
    assert unknown <= {"plan.json"}
    lines = [line for line in code_of(doc).splitlines() if line.lstrip("$ ").startswith("qase-iac ")]
    known = options_of(main) | {"--help", "-h", "--version"}
    for line in lines:
        assert set(re.findall(r"(?<=\s)--[a-z][\w-]+", line)) <= known, line


def test_the_test_command_stands_in_the_readme() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for doc in DOCS:
        assert set(re.findall(r"(?:^|`)make ([a-z]+)", code_of(doc), re.MULTILINE)) <= targets
    assert "make test" in blocks(ROOT / "README.md", "sh")[1]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("make test")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_section(name: str) -> None:
    assert name in anchors(ROOT / "docs" / "commands.md")


def test_every_exit_code_is_told() -> None:
    import qase_iac.errors as errors

    told = {int(code) for code in re.findall(r"^\| (\d+) \|", text_of(ROOT / "README.md"), re.MULTILINE)}
    raised = {
        value.exit_code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.QaseIacError)
    }
    assert told == raised | {0, 2}


# -- examples


def documents_with_examples() -> list[Path]:
    return [doc for doc in DOCS if blocks(doc, "yaml")]


@pytest.mark.parametrize("doc", documents_with_examples(), ids=lambda path: path.name)
def test_the_files_of_a_document_are_one_valid_project(doc: Path, tmp_path: Path) -> None:
    """A block marked `yaml` is a whole file, named in its first line; `yaml fragment` is a piece of one."""
    for body in blocks(doc, "yaml"):
        head = re.match(r"# (\S+\.yaml)\n", body)
        assert head, f"{doc.name}: a block does not name its file: {body[:60]!r}"
        path = tmp_path / head[1]
        assert not path.exists(), f"{doc.name}: {head[1]} stands there twice"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
        for attachment in re.findall(r"attachments: \[([^\]]+)\]", body):
            (path.parent / attachment).parent.mkdir(exist_ok=True)
            (path.parent / attachment).write_bytes(b"x")
    if "emulator-seed.yaml" in text_of(doc):
        (tmp_path / "emulator-seed.yaml").write_text("{}\n", encoding="utf-8")
    found = Session(Ask(tmp_path), World(environment={})).load()
    assert [str(each) for each in found.diagnostics if each.severity is Severity.ERROR] == []
    assert found.desired.resources


@each_doc
def test_fragments_are_yaml(doc: Path) -> None:
    for body in [*blocks(doc, "yaml", "fragment"), *blocks(doc, "yaml", "seed")]:
        yaml.safe_load(body)


def test_the_seed_of_the_documentation_is_one() -> None:
    (body,) = blocks(ROOT / "docs" / "emulator.md", "yaml", "seed")
    seed = yaml.safe_load(body)
    check_seed(seed)
    create_app(seed=seed)


def test_the_python_of_the_documentation_runs() -> None:
    (body,) = blocks(ROOT / "docs" / "emulator.md", "python")
    names: dict[str, object] = {}
    exec(compile(body, "emulator.md", "exec"), names)
    client = names["client"]
    assert isinstance(client, httpx.Client)
    assert client.get("/suite/DEMO/1").json()["result"]["title"] == "Sign in"


# -- sessions

SESSION = re.compile(
    r"<!-- edit: (?P<file>\S+): (?P<old>.+?) => (?P<new>.+?) -->|"
    r"^```console run(?P<tail> tail)?\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def run(folder: Path, home: Path, *arguments: str) -> str:
    """What the program prints, stdout before stderr."""
    kept = ("PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START")
    environment = {name: value for name, value in os.environ.items() if name in kept}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "qase_iac", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr


def spoken(body: str) -> Iterator[tuple[str, str]]:
    """(command, what it answered) of a session."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


@pytest.mark.scenario
@pytest.mark.parametrize("name", ["README.md", "docs/commands.md"])
def test_sessions_are_what_the_program_says(name: str, tmp_path: Path) -> None:
    """Blocks marked `console run` are run one after the other; with `tail` only the end of an answer is shown."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    commands = 0
    for match in SESSION.finditer(text_of(ROOT / name)):
        if match["file"]:
            path = folder / match["file"]
            before = path.read_text(encoding="utf-8")
            assert match["old"] in before
            path.write_text(before.replace(match["old"], match["new"], 1), encoding="utf-8")
            continue
        for command, answer in spoken(match["body"]):
            words = command.split()
            if words[0] == "cd":
                folder = folder / words[1]
                continue
            assert words[0] == "qase-iac"
            said = run(folder, home, *words[1:])
            shown = said[-len(answer) :] if match["tail"] else said
            assert shown.rstrip("\n") == answer.rstrip("\n"), command
            commands += 1
    assert commands


def replace_in(path: Path, old: str, new: str) -> None:
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


@pytest.mark.scenario
def test_the_plan_at_the_top_of_the_readme_is_real(tmp_path: Path) -> None:
    home, shop = tmp_path / "home", tmp_path / "shop"
    home.mkdir()
    shutil.copytree(ROOT / "examples" / "web-shop", shop, ignore=shutil.ignore_patterns(".qase-iac"))
    run(shop, home, "apply", "--auto-approve")
    cases, search, support = (
        shop / "catalog/cases.yaml",
        shop / "catalog/search/cases.yaml",
        shop / "support/cases.yaml",
    )
    replace_in(
        cases,
        "    title: A sold-out product cannot be bought\n",
        "    title: A sold-out product cannot be bought\n    severity: major\n",
    )
    replace_in(cases, "  compare-products:\n    title: Compare two products\n    status: deprecated\n", "")
    replace_in(
        search,
        '    steps: [Search for "mgu"]\n',
        '    steps:\n      - {action: Search for "mgu", expected: Mugs are found}\n      - Search for "mugg"\n',
    )
    replace_in(support, "    suite: catalog/search           # declared here, lives there\n", "")
    with support.open("a", encoding="utf-8") as file:
        file.write("  chat-closed:\n    title: The chat says when it is closed\n")
    edit_in_qase(shop, "Images can be enlarged", "Images can be zoomed")
    shown = re.search(
        r"<!-- output: afternoon -->\n```text\n\$ qase-iac plan\n(.*?)```", text_of(ROOT / "README.md"), re.S
    )
    assert shown
    date = r"on \d{4}-\d\d-\d\d"
    assert re.sub(date, "on DAY", run(shop, home, "plan")) == re.sub(date, "on DAY", shown[1])


def edit_in_qase(shop: Path, title: str, new: str) -> None:
    app = create_app(shop / ".qase-iac" / "emulator.db", seed=load_seed(shop / "emulator-seed.yaml"))
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://emulator/v1") as client:
        rows = client.get("/case/SHOP", params={"limit": 100}).json()["result"]["entities"]
        found = next(row["id"] for row in rows if row["title"] == title)
        assert client.patch(f"/case/SHOP/{found}", json={"title": new}).is_success


# -- what is generated, and what is to be complete


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_blocks_are_fresh() -> None:
    assert [str(path) for path in generator().stale()] == [], "run python docs/generate.py"


def test_a_stale_block_is_noticed() -> None:
    text = "<!-- generated: rules -->\nold\n<!-- end -->"
    assert "`tags`" in generator().fresh(text)


GIVERS = frozenset(
    [
        "error",
        "warning",
        "Diagnostic",
        "ResolveError",
        "SafetyRefusal",
        "Blocked",
        "Problem",
        "Unbound",
        "Slip",
        "add",
        "refuse",
        "problem_of",
        "_at",
        "_whole",
        "_problem",
        "_find",
    ]
)
"""Functions and classes whose first words may be a code."""
CODE = re.compile(r"[a-z]+([-_][a-z0-9]+)+|cycle|conflict|drift|vanished|protected|brake|unsettled|settled")


def codes_in_the_source() -> set[str]:
    found = set()
    for path in sorted((ROOT / "qase_iac").rglob("*.py")):
        if {"emulator", "cli", "convert"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in GIVERS:
                for value in node.args[:3]:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                        found.add(value.value)
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def codes_in_the_documentation() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+`) \|", text_of(ROOT / "docs" / "errors.md"), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


def test_every_code_is_explained() -> None:
    assert codes_in_the_source() - codes_in_the_documentation() == set()


def test_every_explained_code_exists() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "qase_iac").rglob("*.py"))
    made = {"suite_not_empty", "shared_step_in_use"}  # apply/deletes.py puts the kind's name in
    assert {code for code in codes_in_the_documentation() - made if f'"{code}"' not in source} == set()
