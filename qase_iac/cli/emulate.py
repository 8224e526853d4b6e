"""`emulator`."""

from __future__ import annotations

import gc

import click

from qase_iac.cli.context import Command, Globals, global_options, pass_globals, say
from qase_iac.errors import QaseIacError


@click.command("emulator", cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="Port on 127.0.0.1.")
@click.option("--db", metavar="PATH", help="SQLite file; without it everything is in memory.")
@click.option("--seed", metavar="FILE", help="What it starts with: a seed, or a state (`state pull`).")
@click.option("--token", metavar="TOKEN", help="Ask for this token; without it any is taken.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=0, metavar="N", help="Answer 429 above N requests a minute."
)
@click.option("--strict", is_flag=True, help="Refuse unknown keys in bodies (the real service ignores them).")
@click.option("--dialect", type=click.Choice(["today", "seed"]), default="today", help="Today's API or that of 2020.")
@click.option("--control", is_flag=True, help="Serve /_emulator: faults and edits from outside, for tests.")
@global_options
@pass_globals
def emulator_command(
    settings: Globals,
    port: int,
    db: str | None,
    seed: str | None,
    token: str | None,
    limit: int,
    strict: bool,
    dialect: str,
    control: bool,
) -> int:
    """Serve the built-in emulator of the Qase API on this machine.

    \b
    Example:
      qase-iac emulator --port 8090 --db qase.db
      QASE_TESTOPS_API_TOKEN=any qase-iac --api http://127.0.0.1:8090/v1 plan

    \b
    The project as the state remembers it:
      qase-iac state pull > state.json
      qase-iac emulator --seed state.json
    """
    import sqlite3

    from qase_iac.emulator import create_app, serve
    from qase_iac.workflow.seeding import load_any_seed

    gc.enable()  # a server lives long
    try:
        app = create_app(
            settings.path(db) if db else None,
            token=token,
            rate_limit=limit,
            strict=strict,
            dialect=dialect,
            control=control,
            seed=load_any_seed(settings.path(seed), settings.folder) if seed else None,
        )
        serve(app, port=port, ready=lambda url: say(f"Qase emulator on {url}  (Ctrl-C stops it)"))
    except (OSError, ValueError, sqlite3.Error) as error:
        raise QaseIacError(f"The emulator cannot start: {error}.") from None
    return 0
