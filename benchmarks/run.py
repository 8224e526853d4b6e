"""Speed and memory on the real collection, and growth on generated ones. Writes docs/performance.md.

    python benchmarks/run.py [--growth] [--runs 7]

Ratios are of CPU seconds of whole client processes taken in one interleaved run, so that a slow machine slows both.
"""

from __future__ import annotations

import argparse
import json
import lzma
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import generate  # noqa: E402
from measure import CLI, Cost, run  # noqa: E402

ROOT = HERE.parent
DATA = ROOT.parent / "shared" / "data" / "mattermost" / "mattermost.qase.json.xz"
LAYOUTS = ("suite", "case")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--growth", action="store_true", help="also 5,000 to 50,000 generated cases")
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--out", default=str(ROOT / "docs" / "performance.md"))
    given = arguments.parse_args()
    parts = [HEAD.format(python=platform.python_version())]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if DATA.is_file():
            source = work / "collection.json"
            source.write_bytes(lzma.decompress(DATA.read_bytes()))
            parts += [steps(source, work), *(ratios(work, layout, given.runs) for layout in LAYOUTS)]
        else:
            print("The real collection is not here: only generated cases are measured.", file=sys.stderr)
        if given.growth or not DATA.is_file():
            parts.append(growth(work))
    Path(given.out).write_text("\n".join(parts), encoding="utf-8")
    print("\n".join(parts))


HEAD = """\
# Speed and memory

Made by `python benchmarks/run.py`, which says more with `--growth`. Nothing here is typed by hand.
CPython {python}, 2 cores. CPU is user and system time of the whole client process, interpreter start included.
"""


def environment(work: Path) -> dict[str, str]:
    """A home of its own, so that the parse cache is ours to warm and to empty."""
    return {"HOME": str(work / "home"), "XDG_CACHE_HOME": str(work / "cache"), "QASE_TESTOPS_API_TOKEN": "any"}


def row(name: str, cost: Cost, note: str = "") -> str:
    print(f"  {name}: {cost.cpu:.2f} s CPU, {cost.wall:.2f} s, {cost.peak:.0f} MiB {note}", file=sys.stderr)
    return f"| {name} | {cost.cpu:.2f} s | {cost.wall:.2f} s | {cost.peak:.0f} MiB | {note} |"


TABLE = "| step | CPU | wall | peak memory | |\n|---|---|---|---|---|"


def steps(source: Path, work: Path) -> str:
    """The way of the collection through the tool, once; leaves folders `suite` and `case` behind."""
    env = environment(work)
    lines = [
        "## The collection of 5,059 cases, step by step",
        "",
        "The emulator runs in the client's own process here.",
        "",
        TABLE,
    ]
    for layout in LAYOUTS:
        folder = work / layout
        command = [*CLI, "convert", "qase-json", str(source), str(folder), "--project", "MM", "--layout", layout]
        lines.append(row(f"convert, {layout} layout", run(command, env=env)))
        point_at_emulator(folder)
        lines.append(row(f"validate, {layout} layout, first time", run([*CLI, "validate"], folder, env)))
        lines.append(row(f"validate, {layout} layout, again", run([*CLI, "validate"], folder, env)))
    folder = work / "suite"
    lines.append(row("first plan", run([*CLI, "plan"], folder, env)))
    lines.append(row("apply", run([*CLI, "apply", "--auto-approve", "--format", "json"], folder, env)))
    plan = run([*CLI, "plan", "--format", "json"], folder, env)
    reads = json.loads(plan.output)["reading"]["requests"]
    lines.append(row("second plan", plan, f"{len(json.loads(plan.output)['changes'])} changes, {reads} reads"))
    for layout in LAYOUTS:
        target = work / f"export-{layout}"
        lines.append(
            row(f"export, {layout} layout", run([*CLI, "export", str(target), "--layout", layout], folder, env))
        )
    return "\n".join([*lines, ""])


def point_at_emulator(folder: Path) -> None:
    """convert leaves the API's address alone; here it is the emulator."""
    settings = folder / "qase.yaml"
    text = settings.read_text(encoding="utf-8")
    if "emulator" not in text.replace("emulator-seed", ""):
        text = text.replace("api:\n", "api:\n  url: emulator\n")
    settings.write_text(text, encoding="utf-8")


def ratios(work: Path, layout: str, runs: int) -> str:
    """A plan without changes, against the baseline, over HTTP from another process."""
    folder = work / f"ratio-{layout}"
    shutil.copytree(work / f"export-{layout}", folder, ignore=shutil.ignore_patterns(".qase-iac"))
    recording, paths = record(folder, work)
    server = subprocess.Popen(
        [sys.executable, str(HERE / "pages.py"), str(recording)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        return _ratios(work, folder, layout, base, paths, runs)
    finally:
        server.kill()


def record(folder: Path, work: Path) -> tuple[Path, Path]:
    """Every GET that a plan makes of the applied collection, as prepared pages; and their paths in order."""
    import httpx

    from qase_iac.emulator import create_app

    app = create_app(work / "suite" / ".qase-iac" / "emulator.db")
    log = work / "log.jsonl"
    log.unlink(missing_ok=True)
    run([*CLI, "--http-log", str(log), "plan"], work / "suite", environment(work))
    paths = [json.loads(line)["path"] for line in log.read_text().splitlines()]
    paths = [path if path.startswith("/v1") else "/v1" + path for path in paths]
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://emulator") as client:
        pages = {path: client.get(path).text for path in paths}
    recording, listing = work / "pages.json", work / "paths.json"
    recording.write_text(json.dumps(pages), encoding="utf-8")
    listing.write_text(json.dumps(paths), encoding="utf-8")
    return recording, listing


def _ratios(work: Path, folder: Path, layout: str, base: str, paths: Path, runs: int) -> str:
    env = environment(work)
    settings = folder / "qase.yaml"
    lines = [
        line for line in settings.read_text(encoding="utf-8").splitlines() if "url:" not in line and line != "api:"
    ]
    settings.write_text("\n".join(lines) + f"\napi:\n  url: {base}/v1\n", encoding="utf-8")
    state_for(work / f"export-{layout}", folder, base)
    plan = [*CLI, "--rate-limit", "0", "plan", "--detailed-exitcode"]
    baseline = [sys.executable, str(HERE / "baseline.py"), str(folder), base, str(paths)]
    costs: dict[str, list[Cost]] = {"baseline": [], "plan": [], "plan again": []}
    for _ in range(runs):
        costs["baseline"].append(run(baseline, env=env))
        shutil.rmtree(work / "cache", ignore_errors=True)
        costs["plan"].append(run(plan, folder, env))
        costs["plan again"].append(run(plan, folder, env))
    medians = {name: statistics.median(cost.cpu for cost in found) for name, found in costs.items()}
    peak = max(cost.peak for cost in costs["plan"] + costs["plan again"])
    limits = {"plan": 1.6, "plan again": 0.8}
    table = [
        f"## A plan without changes, {layout} layout",
        "",
        "| | CPU, median | of the baseline | wanted |",
        "|---|---|---|---|",
    ]
    for name, median in medians.items():
        wanted = f"at most {limits[name]}" if layout == "suite" and name in limits else ""
        table.append(f"| {name} | {median:.2f} s | {median / medians['baseline']:.2f} | {wanted} |")
        print(f"  {layout} {name}: {median:.2f} s, {median / medians['baseline']:.2f}", file=sys.stderr)
    note = f"Peak memory {peak:.0f} MiB. Baseline: the same files through PyYAML, the same pages through bare httpx."
    return "\n".join(
        [*table, "", f"{note} Medians of {runs} interleaved runs; pages prepared, served by another process.", ""]
    )


def state_for(exported: Path, folder: Path, base: str) -> None:
    """The state of the export, as if it had been made over HTTP."""
    from qase_iac.state.store import LocalStore, state_path

    project = next(
        line.split()[1] for line in (folder / "qase.yaml").read_text().splitlines() if line.startswith("project:")
    )
    state = LocalStore(next((exported / ".qase-iac").glob("*.json"))).read()
    state.api = f"{base}/v1"
    path = state_path(folder, project, state.api)
    path.parent.mkdir(exist_ok=True)
    LocalStore(path).write(state)


def growth(work: Path) -> str:
    """Every step on ever more cases: what grows faster than the cases shows in the last column."""
    env = environment(work)
    sizes = (5_000, 10_000, 20_000, 50_000)
    commands = {
        "validate": ["validate"],
        "first plan": ["plan"],
        "apply": ["apply", "--auto-approve", "--format", "json"],
        "second plan": ["plan"],
        "export": ["export", "../grown-export"],
    }
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for size in sizes:
        folder = work / "grown"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(work / "grown-export", ignore_errors=True)
        generate(folder, size)
        for name, command in commands.items():
            found[name].append(run([*CLI, *command], folder, env))
            print(f"  {size:,} {name}: {found[name][-1].cpu:.2f} s, {found[name][-1].peak:.0f} MiB", file=sys.stderr)
    lines = ["## Growth", "", "Generated cases, the emulator in the client's own process. CPU seconds (peak MiB).", ""]
    lines += [
        f"| step | {' | '.join(f'{size:,}' for size in sizes)} | CPU a case, last over first |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name, costs in found.items():
        cells = " | ".join(f"{cost.cpu:.1f} ({cost.peak:.0f})" for cost in costs)
        factor = (costs[-1].cpu / sizes[-1]) / (costs[0].cpu / sizes[0])
        lines.append(f"| {name} | {cells} | {factor:.2f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
