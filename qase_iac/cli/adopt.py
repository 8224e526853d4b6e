"""`adopt`."""

from __future__ import annotations

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals
from qase_iac.cli.work import holder, session_for
from qase_iac.errors import QaseIacError


@click.command("adopt", cls=Command)
@click.argument("pairs", metavar="[ADDRESS ID]…", nargs=-1)
@click.option("--suggest", is_flag=True, help="Propose which objects in Qase the unbound addresses are.")
@click.option("--write", is_flag=True, help="With --suggest: bind the sure ones.")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@global_options
@pass_globals
def adopt_command(settings: Globals, pairs: tuple[str, ...], suggest: bool, write: bool, fmt: str) -> int:
    """Bind addresses to objects that are in Qase already, by their ids. Writes the state, and nothing to Qase.

    Where the object differs from the files, the files count: the next apply changes it. Suggestions are one to one:
    first what has the same place and title, then what is much alike; what cannot be told apart is listed, never chosen.

    \b
    Examples:
      qase-iac adopt case.pay-by-card 41
      qase-iac adopt suite.checkout 7 case.refund 42
      qase-iac adopt --suggest
      qase-iac adopt --suggest --write
    """
    if suggest != (not pairs) or (write and not suggest):
        raise QaseIacError(
            "`adopt` takes pairs of an address and an id, or --suggest, perhaps with --write.",
            hint="For example: qase-iac adopt case.pay-by-card 41",
        )
    return _suggest(settings, write, fmt) if suggest else _adopt(settings, pairs, fmt)


def _adopt(settings: Globals, pairs: tuple[str, ...], fmt: str) -> int:
    from qase_iac.render.matches import adopted_json, adopted_text
    from qase_iac.workflow.adopting import adopt

    with session_for(settings) as (session, progress):
        bound = adopt(session, pairs, holder(session))
        progress.stop()
    rows = [(each.address, each.id, each.title, each.change, each.fresh) for each in bound]
    answer(adopted_json(rows) if fmt == "json" else adopted_text(rows))
    return 0


def _suggest(settings: Globals, write: bool, fmt: str) -> int:
    from qase_iac.plan.planfile import dumps
    from qase_iac.render.matches import suggestions_data, suggestions_text
    from qase_iac.workflow.adopting import suggestions

    with session_for(settings) as (session, progress):
        made = suggestions(session, holder(session) if write else None)
        progress.stop()
    if fmt == "json":
        answer(dumps({"project": made.project, "api": made.api, **suggestions_data(made.found, made.written)}))
    else:
        answer(suggestions_text(made.found, made.written))
    return 0
