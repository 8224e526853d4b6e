"""`.pre-commit-hooks.yaml`, run by pre-commit itself in a repository of somebody's.

pre-commit installs the hooks' repository with pip. So that this asks no registry, that repository here has the shipped
hooks and a package of a few lines that starts the program of this work tree; how the real one is installed is proved by
test_dockerfile.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from e2e_kit import clean_env, sections
from stores_kit import clean_git, git

from ci_pieces.runner_kit import REPO
from qase_iac.cli.main import COMMANDS

HOOKS = yaml.safe_load((REPO / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
BACKEND = """\
import base64, hashlib, zipfile

FILES = {
    "start_here.py": "from qase_iac.cli.main import run\\n",
    "start_here-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: start-here\\nVersion: 1\\n",
    "start_here-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "start_here-1.dist-info/entry_points.txt": "[console_scripts]\\nqase-iac = start_here:run\\n",
}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    rows = [f"{name},," for name in FILES] + ["start_here-1.dist-info/RECORD,,"]
    with zipfile.ZipFile(f"{folder}/start_here-1-py3-none-any.whl", "w") as wheel:
        for name, text in {**FILES, "start_here-1.dist-info/RECORD": "\\n".join(rows)}.items():
            wheel.writestr(name, text)
    return "start_here-1-py3-none-any.whl"
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "start-here"\nversion = "1"\n'
Hook = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the hooks, and a home of pre-commit's in which they are installed once."""
    root = tmp_path_factory.mktemp("pre-commit")
    repo = root / "hooks"
    repo.mkdir()
    shutil.copy(REPO / ".pre-commit-hooks.yaml", repo)
    (repo / "backend.py").write_text(BACKEND)
    (repo / "pyproject.toml").write_text(PYPROJECT)
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "--all")
    git(repo, "commit", "-q", "-m", "Hooks")
    git(repo, "tag", "v1")
    return root


@pytest.fixture
def run_hook(hooks: Path, tmp_path: Path) -> Hook:
    """Runs one hook on the staged files of a clone with a project folder `qase`."""
    program = Path(sys.executable).with_name("pre-commit")
    if not program.exists():
        pytest.skip("pre-commit is not installed: pip install -e '.[dev]'")
    clone = tmp_path / "clone"
    (clone / "qase").mkdir(parents=True)
    (clone / "qase" / "qase.yaml").write_text("project: SHOP\n")
    (clone / "qase" / "cases.yaml").write_text(sections(cases={"a": {"title": "A"}}))
    named = [{"id": hook["id"], "args": ["--chdir=qase"], "files": "^qase/"} for hook in HOOKS]
    config = {"repos": [{"repo": str(hooks / "hooks"), "rev": "v1", "hooks": named}]}
    (clone / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(clone, "init", "-q", "-b", "main")
    offline = {
        **clean_env(), **clean_git(), "PRE_COMMIT_HOME": str(hooks / "home"), "PIP_NO_INDEX": "1", "HOME": str(hooks),
        "PYTHONPATH": os.pathsep.join([str(REPO), sysconfig.get_path("purelib")]), "PIP_NO_CACHE_DIR": "1",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1", "XDG_DATA_HOME": str(hooks / "data"),
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
    }  # fmt: skip

    def run(name: str) -> subprocess.CompletedProcess[str]:
        git(clone, "add", "--all")
        words = [str(program), "run", name, "--color=never", "--verbose"]
        return subprocess.run(words, cwd=clone, env=offline, capture_output=True, text=True, timeout=300)

    return run


def test_the_hooks_call_commands_that_there_are() -> None:
    called = {hook["id"]: hook["entry"].split()[1] for hook in HOOKS}
    assert called == {"qase-iac-validate": "validate", "qase-iac-fmt": "fmt"}
    assert set(called.values()) <= set(COMMANDS)


def test_validate_passes_and_fails(run_hook: Hook, tmp_path: Path) -> None:
    good = run_hook("qase-iac-validate")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "Valid: 1 objects in 1 files." in good.stdout
    (tmp_path / "clone" / "qase" / "cases.yaml").write_text("cases: {a: {titel: A}}\n")
    bad = run_hook("qase-iac-validate")
    assert bad.returncode == 1
    assert "exit code: 3" in bad.stdout and "Did you mean `title`?" in bad.stdout


def test_fmt_changes_the_files_and_then_passes(run_hook: Hook, tmp_path: Path) -> None:
    cases = tmp_path / "clone" / "qase" / "cases.yaml"
    cases.write_text("cases:\n        a:\n              title:    A\n")
    first = run_hook("qase-iac-fmt")
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    assert yaml.safe_load(cases.read_text()) == {"cases": {"a": {"title": "A"}}}
    assert run_hook("qase-iac-fmt").returncode == 0
