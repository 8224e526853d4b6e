"""`pull`."""

from __future__ import annotations

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.cli.work import holder, session_for, warn
from qase_iac.errors import QaseIacError


@click.command("pull", cls=Command)
@click.argument("addresses", metavar="[ADDRESS]…", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Take over all that changed, what is new and what is gone.")
@click.option("--dry-run", is_flag=True, help="Print the patch, for `git apply`; write nothing.")
@click.option(
    "--on-conflict",
    type=click.Choice(["fail", "ours", "theirs"]),
    help="When both changed, differently: leave it and fail, keep the files, or take Qase's.",
)
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@global_options
@pass_globals
def pull_command(
    settings: Globals,
    addresses: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    on_conflict: str | None,
    fmt: str,
) -> int:
    """Write what changed in Qase since the last apply into the files, in place. Nothing is written to Qase.

    Only the lines of what changed are touched; comments, order and layout stay. What is new in scope becomes an entry
    beside its like, what is gone is taken out, with whatever refers to it. ADDRESS is what `qase-iac drift` shows; what
    it needs comes along. An attribute that was edited in the files as well is left, with exit code 4, unless
    --on-conflict or `policy.on_conflict` says whose edit counts. At the end a plan is made from what was written.

    \b
    Examples:
      qase-iac pull case.pay-by-card case.refund
      qase-iac pull --all
      qase-iac pull --all --dry-run | git apply
    """
    from qase_iac.workflow.pulling import Wish, pull

    if everything and addresses:
        raise QaseIacError("`pull` takes addresses or --all, not both.")
    if not (everything or addresses or dry_run):
        raise QaseIacError(
            "What is to be pulled?",
            hint="qase-iac pull --all takes everything that changed, qase-iac pull ADDRESS one thing; `qase-iac drift` "
            "lists what there is, and --dry-run shows the patch.",
        )
    wish = Wish(addresses, everything=not addresses, dry_run=dry_run)
    with session_for(settings, on_conflict=on_conflict) as (session, progress):
        pulled = pull(session, wish, holder(session))
        progress.stop()
    warn(pulled.warnings)
    from qase_iac.render.pulled import pulled_json, pulled_text

    if fmt == "json":
        answer(pulled_json(pulled))
    elif dry_run:
        from qase_iac.config.edit import patch

        say(pulled_text(pulled).rstrip("\n"))
        answer(patch(pulled.files))
    else:
        answer(pulled_text(pulled))
    return pulled.exit_code
