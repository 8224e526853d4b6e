"""`.ci/install.sh`: pip installs the action's own version into an environment that is nobody else's.

It gets what the Dockerfile copies and no more, so this proves that the image's install works as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from e2e_kit import clean_env

from ci_pieces.runner_kit import REPO
from ci_pieces.test_dockerfile import copied


def install(root: Path, action: Path, extras: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Dependencies and setuptools are those of here: no registry is asked."""
    offline = {
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PYTHONPATH": sysconfig.get_path("purelib"),
    }
    hub = {"RUNNER_TEMP": str(root), "GITHUB_ACTION_PATH": str(action), "GITHUB_PATH": str(root / "path")}
    given = clean_env({**offline, **hub, "PYTHON": sys.executable, "INPUT_EXTRAS": extras, **environment})
    return subprocess.run(["bash", str(REPO / ".ci" / "install.sh")], env=given, capture_output=True, text=True)


def test_it_installs_once_and_leaves_the_job_s_python_alone(tmp_path: Path) -> None:
    action = tmp_path / "_actions" / "v0.1.0"
    action.mkdir(parents=True)
    for name in copied():
        if (REPO / name).is_dir():
            shutil.copytree(REPO / name, action / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPO / name, action)
    first = install(tmp_path, action)
    assert first.returncode == 0, first.stdout + first.stderr
    [place] = (tmp_path / "path").read_text().split()
    assert os.listdir(place) == ["qase-iac"]
    known = clean_env({"PYTHONPATH": sysconfig.get_path("purelib")})
    for words in (["--version"], ["init", "shop"], ["-C", "shop", "plan", "--report", "plan.html"]):
        done = subprocess.run([f"{place}/qase-iac", *words], cwd=tmp_path, env=known, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(action / "qase_iac")
    again = subprocess.run([f"{place}/qase-iac", "schema"], cwd=tmp_path, env=known, capture_output=True, text=True)
    assert again.returncode == 0, "it is installed, and not run where it was copied to"
    assert install(tmp_path, action, PYTHON="/bin/false").returncode == 0  # nothing is left to do
    assert install(tmp_path, action, extras="s3", PYTHON="/bin/false").returncode != 0


@pytest.mark.parametrize("extras", ["s3]; touch pwned; [", "$(touch pwned)", "../x"])
def test_extras_are_names(tmp_path: Path, extras: str) -> None:
    done = install(tmp_path, tmp_path / "action", extras)
    assert (done.returncode, done.stdout) == (1, "::error::extras are names, separated by commas, such as s3\n")
    assert list(tmp_path.iterdir()) == []
