"""`comment`."""

from __future__ import annotations

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals
from qase_iac.cli.work import world_for
from qase_iac.errors import QaseIacError
from qase_iac.values import printable


@click.command("comment", cls=Command)
@click.argument("file", required=False)
@click.option("--key", default="plan", show_default=True, metavar="NAME", help="One comment for each name.")
@click.option("--only-edit", is_flag=True, help="Edit the comment where it is there; write no new one.")
@click.option("--read-digest", is_flag=True, help="Print the digest that the merged request's comment shows.")
@global_options
@pass_globals
def comment_command(settings: Globals, file: str | None, key: str, only_edit: bool, read_digest: bool) -> int:
    """Keep one comment in the pull or merge request up to date: in a job of GitHub Actions or GitLab CI.

    FILE is a saved plan, whose digest the comment then keeps, or any report in Markdown.
    The token is GITHUB_TOKEN or QASE_IAC_GITLAB_TOKEN. Only comments of the token's owner are edited or read.

    \b
    Examples:
      qase-iac plan -o plan.json && qase-iac comment plan.json
      qase-iac apply --auto-approve --expect "$(qase-iac comment --read-digest)"
    """
    from qase_iac.workflow.commenting import approved_digest, write_comment
    from qase_iac.workflow.forges import forge_for

    if read_digest == bool(file):
        raise QaseIacError("Give either the FILE to show, or --read-digest.", hint="qase-iac comment plan.json")
    text, digest = _read(settings, file) if file else ("", "")
    with world_for(settings) as (world, _):
        forge = forge_for(world.environment, world.sleep)
        if read_digest:
            answer(approved_digest(forge, key))
        elif there := write_comment(forge, key, text, world.environment, digest, only_edit):
            answer(there.page)
    return 0


def _read(settings: Globals, file: str) -> tuple[str, str]:
    """What the comment says, and the digest of the plan in it."""
    if file.endswith(".json"):
        from qase_iac.plan.planfile_reader import read
        from qase_iac.render import render

        plan = read(settings.path(file))
        return render(plan, "markdown"), plan.digest
    try:
        return settings.path(file).read_text(encoding="utf-8", errors="replace"), ""
    except OSError as error:
        raise QaseIacError(f"{printable(file)} cannot be read: {error.strerror}.") from None
