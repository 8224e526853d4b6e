"""`state list`, `show`, `mv`, `rm`, `rebuild`, `unlock`, `pull`, `push`, `migrate`."""

from __future__ import annotations

import json
import sys

import click

from qase_iac.cli.context import Globals, Group, answer, global_options, pass_globals, say
from qase_iac.cli.work import holder, session_for
from qase_iac.config.settings_table import STATE_KEYS
from qase_iac.errors import QaseIacError
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
      qase-iac state pull > state.json
      qase-iac state migrate --to git
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
@click.option("--force", is_flag=True, help="Break the lock of a run that may be alive. Only if you know it is dead.")
@global_options
@pass_globals
def unlock_command(settings: Globals, force: bool) -> int:
    """Clear what a dead run left of its lock, and say whose it was. A run that lives is not disturbed (exit 7).

    \b
    Examples:
      qase-iac state unlock
      qase-iac state unlock --force
    """
    with session_for(settings) as (session, _):
        session.check_settings()
        dead = session.store.unlock(force)
    if dead and force:
        answer(f"The lock of {dead} is broken.")
    else:
        answer(f"The lock of {dead} is cleared: that run is dead." if dead else "Nobody holds the state.")
    return 0


@state_command.command("pull")
@global_options
@pass_globals
def pull_command(settings: Globals) -> int:
    """Print the state as it is stored, wherever that is.

    \b
    Example:
      qase-iac state pull > state.json
    """
    from qase_iac.workflow.stating import pulled

    with session_for(settings) as (session, _):
        content, unfinished = pulled(session)
    if unfinished:
        say("A run is at work, or was interrupted: what it did last is not in this state. `qase-iac apply` settles it.")
    sys.stdout.buffer.write(content)
    sys.stdout.flush()
    return 0


@state_command.command("push")
@click.argument("file", metavar="FILE")
@click.option("--force", is_flag=True, help="Whatever is there: another lineage, a newer serial, an unfinished run.")
@global_options
@pass_globals
def push_command(settings: Globals, file: str, force: bool) -> int:
    """Put the state in FILE (`-`: from stdin) in the place of the one that is there.

    It has to be of the same lineage, and its serial higher (exit 4). With --force it is taken in any case, and the one
    that was there is kept in a file.

    \b
    Examples:
      qase-iac state push state.json
      qase-iac state push --force state.json
    """
    from qase_iac.workflow.stating import push

    try:
        content = sys.stdin.buffer.read() if file == "-" else settings.path(file).read_bytes()
    except OSError as error:
        raise QaseIacError(f"{printable(file)} cannot be read: {error.strerror}.") from None
    with session_for(settings) as (session, _):
        aside = push(session, content, file, holder(session), force)
        answer("\n".join([f"The state is in {session.store.place} now.", *(f"The old one: {path}" for path in aside)]))
    return 0


@state_command.command("migrate")
@click.option("--to", "backend", type=click.Choice(list(STATE_KEYS)), required=True, help="The backend to move it to.")
@click.argument("settings_of_it", metavar="[NAME=VALUE]…", nargs=-1)
@global_options
@pass_globals
def migrate_command(settings: Globals, backend: str, settings_of_it: tuple[str, ...]) -> int:
    """Move the state to another backend, with what belongs below `state:` there as NAME=VALUE.

    The old place says from then on where the state went, so that nobody goes on with two of them.

    \b
    Examples:
      qase-iac state migrate --to git
      qase-iac state migrate --to s3 bucket=acme-tests region=eu-central-1
    """
    from qase_iac.workflow.stating import migrate

    with session_for(settings) as (session, _):
        old, new = migrate(session, backend, settings_of_it, holder(session))
    rows = {"backend": backend, **dict(word.partition("=")[::2] for word in settings_of_it)}
    say(f"The state has moved from {old} to {new}. Now write into qase.yaml:")
    answer("\n".join(["state:", *(f"  {name}: {json.dumps(value)}" for name, value in rows.items())]))
    return 0
