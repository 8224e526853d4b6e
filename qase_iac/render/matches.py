"""What `adopt` and `state rebuild` found, in words and as JSON. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from qase_iac.plan.model import Change
from qase_iac.plan.planfile import attributes_json, dumps
from qase_iac.plan.suggest import PLACE_AND_TITLE, SAID, Match, Suggestions
from qase_iac.render.details import attribute_lines
from qase_iac.render.words import count, listed, number
from qase_iac.values import JSON, RemoteId, printable

SHOWN = 50
"""So many addresses are listed where nobody has to decide; JSON lists all."""
BY = {PLACE_AND_TITLE: "same place and title", SAID: "the files say so"}


def adopted_text(rows: Iterable[tuple[str, RemoteId, str, Change | None, bool]]) -> str:
    """What was bound, (address, id, title, what differs, whether it is new), and what apply would change."""
    lines: list[str] = []
    for address, id, title, change, fresh in rows:
        how = "is bound to" if fresh else "was bound already to"
        lines.append(f"{address} {how} {printable(str(id))}, {printable(title)!r}.")
        lines += _differing(change) if fresh else ()
    lines.append("Nothing was written to Qase.")
    return "\n".join(lines) + "\n"


def _differing(change: Change | None) -> Iterator[str]:
    if change is None or not change.attributes:
        yield "  It is what the files say: apply changes nothing."
        return
    yield "  Apply makes it what the files say:"
    for name, each in change.attributes.items():
        for line in attribute_lines(change.kind, name, each):
            yield f"    {line.mark} {'  ' * line.depth}{line.text}".rstrip()
    if change.blocked:
        yield f"  That is blocked ({change.blocked.code}): {printable(change.blocked.reason)}"


def adopted_json(rows: Iterable[tuple[str, RemoteId, str, Change | None, bool]]) -> str:
    bound = [
        {
            "address": address,
            "id": id,
            "title": title,
            "new": fresh,
            "attributes": attributes_json(change.attributes) if change else {},
        }
        for address, id, title, change, fresh in rows
    ]
    return dumps({"bound": bound})


def suggestions_text(found: Suggestions, written: bool) -> str:
    """What the unbound addresses are, may be, and are not."""
    title = "Bound now" if written else "Sure (`qase-iac adopt --suggest --write` binds these)"
    sure = _rows(found.sure[:SHOWN])
    if len(found.sure) > SHOWN:
        sure.append(f"  and {number(len(found.sure) - SHOWN)} more (--format json lists all)")
    blocks = [_block(title, sure), *_undecided(found)]
    if found.unmatched:
        names = f"  {listed(found.unmatched, SHOWN)}"
        blocks.append(_block(f"Nothing like them in Qase, apply creates them ({len(found.unmatched)})", [names]))
    blocks.append([_sum(found, written)])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _sum(found: Suggestions, written: bool) -> str:
    if not (found.matches or found.doubtful or found.unmatched):
        return "Every address is bound. There is nothing to suggest."
    done = "bound" if written else "sure"
    parts = (
        f"{number(len(found.sure))} {done}, {number(len(found.likely))} likely, "
        f"{number(len(found.doubtful))} not to be told apart"
    )
    stay = "stays" if found.left == 1 else "stay"
    left = f" {count(found.left, 'object')} in Qase {stay} unbound." if found.left else ""
    return f"{parts}, {number(len(found.unmatched))} not in Qase.{left}"


def rebuilt_text(found: Suggestions, differing: Sequence[str], replaced: Sequence[str], complete: bool) -> str:
    """What a rebuilt state holds, and what it could not decide."""
    blocks = _undecided(found)
    if differing:
        said = "Bound, and not what the files say: a conflict in the next plan, since nobody knows who changed them"
        blocks.append(_block(said, [f"  {listed(differing, SHOWN)}"]))
    if found.unmatched:
        said = f"Declared and not in Qase, apply creates them ({len(found.unmatched)})"
        blocks.append(_block(said, [f"  {listed(found.unmatched, SHOWN)}"]))
    end = [f"{count(len(found.sure), 'address', 'addresses')} bound in a new state."]
    if found.left:
        belong = "belongs" if found.left == 1 else "belong"
        what = "never managed, or no longer declared" + (", or renamed in Qase" if found.unmatched else "")
        end.append(f"{count(found.left, 'object')} in Qase {belong} to no address: {what}.")
        if found.unmatched:
            end.append("A renamed one is bound by `qase-iac adopt ADDRESS ID`.")
    end += [f"The old file was put aside: {printable(path)}" for path in replaced]
    open = len(found.likely) + len(found.doubtful)
    end.append(
        "Everything was decided." if complete else f"{count(open, 'address', 'addresses')} could not be decided."
    )
    blocks.append(end)
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _undecided(found: Suggestions) -> list[list[str]]:
    """Blocks on what people have to decide, each with the command that does it."""
    blocks = []
    if found.likely:
        first = found.likely[0]
        title = f"Likely: look at each, then bind it, `qase-iac adopt {first.address} {first.id}`"
        blocks.append(_block(title, _rows(found.likely, "?")))
    if found.doubtful:
        rows = [f"  ! {address}  {listed([str(id) for id in ids])}" for address, ids in found.doubtful.items()]
        blocks.append(_block("Cannot be told apart: look, and say which by `qase-iac adopt ADDRESS ID`", rows))
    return blocks


def _block(title: str, rows: Sequence[str]) -> list[str]:
    return [title, *rows] if rows else []


def _rows(matches: Sequence[Match], mark: str = "=") -> list[str]:
    width = max((len(match.address) for match in matches), default=0)
    ids = max((len(str(match.id)) for match in matches), default=0)
    return [
        f"  {mark} {match.address:<{width}}  {match.id!s:>{ids}}  {printable(match.title)}  ({_why(match)})"
        for match in matches
    ]


def _why(match: Match) -> str:
    return BY.get(match.by) or f"{match.likeness:.0f} % alike"


def suggestions_data(found: Suggestions, written: bool) -> Mapping[str, JSON]:
    """What scripts read: one entry an address."""
    return {
        "suggestions": [
            {
                "address": match.address,
                "id": match.id,
                "title": match.title,
                "by": match.by,
                "likeness": round(match.likeness / 100, 4),
                "sure": match.sure,
                "bound": written and match.sure,
            }
            for match in found.matches
        ],
        "ambiguous": [{"address": address, "ids": list(ids)} for address, ids in found.doubtful.items()],
        "unmatched": list(found.unmatched),
        "unbound": found.left,
    }
