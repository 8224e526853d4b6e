"""`state list`, `show`, `mv`, `rm`, `rebuild`, `unlock`."""

from __future__ import annotations

import json

import click

from qase_iac.cli.context import Globals, Group, answer, global_options, pass_globals, say
from qase_iac.cli.work import holder, session_for
from qase_iac.values import printable


@click.group("state", cls=Group)
@global_options
def state_command() -> None:
    """Look at the state and mend it. Nothing here changes Qase; only `rebuild` reads it.

    \b
    Examples:
      qase-iac state list
      qase-iac state show case.pay-by-card
      qase-iac state mv case.pay case.pay-by-card
      qase-iac state rm case.legacy-flow
      qase-iac state rebuild
      qase-iac state unlock
    """


@state_command.command("list")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@global_options
@pass_globals
def list_command(settings: Globals, fmt: str) -> int:
    """List what is bound: address and id.

    \b
    Example:
      qase-iac state list
    """
    from qase_iac.workflow.stating import bindings

    with session_for(settings) as (session, _):
        found = bindings(session)
    if fmt == "json":
        answer(json.dumps({address: binding.id for address, binding in found.items()}, indent=2))
        return 0
    width = max(map(len, found), default=0)
    lines = [
        f"{address:<{width}}  {binding.id}{'  protected' if binding.protect else ''}"
        for address, binding in found.items()
    ]
    answer("\n".join(lines))
    if not found:
        say("Nothing is bound.")
    return 0


@state_command.command("show")
@click.argument("address")
@global_options
@pass_globals
def show_command(settings: Globals, address: str) -> int:
    """Show one binding in full, as JSON.

    \b
    Example:
      qase-iac state show case.pay-by-card
    """
    from qase_iac.workflow.stating import binding

    with session_for(settings) as (session, _):
        found = binding(session, address)
    answer(json.dumps({"address": address, **found.to_json()}, indent=2))
    return 0


@state_command.command("mv")
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@global_options
@pass_globals
def mv_command(settings: Globals, origin: str, target: str) -> int:
    """Rename an address in the state; a suite takes along what is below it.

    In a team, prefer a `moved:` entry in the files: it is reviewed, and works for everybody.

    \b
    Example:
      qase-iac state mv case.pay case.pay-by-card
    """
    from qase_iac.workflow.stating import move

    with session_for(settings) as (session, _):
        pairs = move(session, origin, target, holder(session))
    answer("\n".join(f"{old} is now {new}" for old, new in pairs))
    return 0


@state_command.command("rm")
@click.argument("addresses", metavar="ADDRESS…", nargs=-1, required=True)
@global_options
@pass_globals
def rm_command(settings: Globals, addresses: tuple[str, ...]) -> int:
    """Let go of objects: they stay in Qase, and the state forgets them.

    \b
    Example:
      qase-iac state rm case.legacy-flow
    """
    from qase_iac.workflow.stating import remove

    with session_for(settings) as (session, _):
        gone = remove(session, list(addresses), holder(session))
    answer("\n".join(f"{printable(address)} is no longer bound" for address in gone))
    return 0


@state_command.command("rebuild")
@click.option("--replace", is_flag=True, help="Put the state that is there aside and make a new one.")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@global_options
@pass_globals
def rebuild_command(settings: Globals, replace: bool, fmt: str) -> int:
    """Make a lost state again: find every object in Qase by place and title. Reads Qase, writes the state.

    Twins are told apart by all their attributes. What cannot be decided is listed and not bound, and the exit code
    is 6; `qase-iac adopt` binds it then.

    \b
    Examples:
      qase-iac state rebuild
      qase-iac state rebuild --replace
    """
    from qase_iac.plan.planfile import dumps
    from qase_iac.render.matches import rebuilt_text, suggestions_data
    from qase_iac.workflow.rebuilding import rebuild

    with session_for(settings) as (session, progress):
        made = rebuild(session, holder(session), replace)
        progress.stop()
    replaced = [str(path) for path in made.replaced]
    if fmt == "json":
        about = {"project": made.project, "api": made.api, "complete": made.complete}
        more = {"differing": list(made.differing), "replaced": replaced}
        answer(dumps({**about, **suggestions_data(made.found, True), **more}))
    else:
        answer(rebuilt_text(made.found, made.differing, replaced, made.complete))
    return 0 if made.complete else 6


@state_command.command("unlock")
@global_options
@pass_globals
def unlock_command(settings: Globals) -> int:
    """Clear what a dead run left of its lock, and say whose it was. A run that lives is never disturbed (exit 7).

    \b
    Example:
      qase-iac state unlock
    """
    with session_for(settings) as (session, _):
        session.check_settings()
        dead = session.store.unlock()
    answer(f"The lock of {dead} is cleared: that run is dead." if dead else "Nobody holds the state.")
    return 0
