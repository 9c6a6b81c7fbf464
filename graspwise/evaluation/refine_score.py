"""Figures of the refinement benchmark from its records, with 95% intervals over objects."""

from collections.abc import Sequence
from typing import Any

from graspwise.data.requests import KINDS
from graspwise.evaluation.refine_talk import METHODS, Method, RefineRecord, TalkRecord
from graspwise.evaluation.score import in_percent, share

FIGURES = ("obeyed", "valid", "both", "steady")
COMPARED = ("obeyed", "both")
# All requests together, beside each turn.
ALL = "all"


def refinement_summary(records: Sequence[RefineRecord], talks: Sequence[TalkRecord]) -> dict[str, Any]:
    """What a report shows: of all requests, by turn, by kind, of those that cannot be met, and against the baselines.

    Args:
        records: Of one model, each request once a method.
        talks: How far each of its conversations got.
    """
    turns = sorted({r.turn for r in records})
    met = [r for r in records if r.satisfiable]
    own = [r for r in met if r.method == "model"]
    return {
        "photographs": len(talks),
        "objects": len({t.object_id for t in talks}),
        "seen_objects": len({t.object_id for t in talks if t.seen}),
        "not_begun": sum(t.answers == 0 for t in talks),
        "broken_off": sum(t.lost and t.answers > 0 for t in talks),
        "all": {method: figures([r for r in met if r.method == method]) for method in METHODS},
        "turns": {
            str(turn): {method: figures([r for r in met if (r.turn, r.method) == (turn, method)]) for method in METHODS}
            for turn in turns
        },
        "through": {str(turn): through(own, talks, turn) for turn in turns},
        "minus": {
            other: {
                name: {field: minus([r for r in met if r.turn in some], other, field) for field in COMPARED}
                for name, some in {ALL: turns, **{str(turn): [turn] for turn in turns}}.items()
            }
            for other in METHODS[1:]
        },
        "kinds": {
            method: {
                kind: figures(of)
                for kind in KINDS
                if (of := [r for r in met if (r.method, r.kind) == (method, kind)])
            }
            for method in METHODS
        },
        "unmet": unmet_figures([r for r in records if not r.satisfiable and r.method == "model"]),
    }  # fmt: skip


def figures(records: Sequence[RefineRecord]) -> dict[str, Any]:
    """Shares of records in percent; steadiness of those obeyed that have something to keep."""
    # Whoever changes nothing keeps everything.
    kept = [r for r in records if r.obeyed and r.steady is not None]
    value: dict[str, Any] = {field: share(records, field) for field in FIGURES[:3]}
    return {**value, "steady": {**share(kept, "steady"), "n": len(kept)}, "n": len(records)}


def through(records: Sequence[RefineRecord], talks: Sequence[TalkRecord], turn: int) -> dict[str, Any]:
    """Share of the conversations whose requests up to this turn were all obeyed and valid.

    Of those that have a request at this turn, and of those that an answer without a grasp ended before: they failed.
    """
    lost = {t.image: t.object_id for t in talks if t.lost and t.answers < turn}
    reached = {r.image: r.object_id for r in records if r.turn == turn} | lost
    failed = {r.image for r in records if r.turn <= turn and not r.both} | set(lost)
    if not reached:
        return {"percent": None, "ci95": None, "n": 0}
    percent, ci95 = in_percent([image not in failed for image in reached], list(reached.values()))
    return {"percent": percent, "ci95": ci95, "n": len(reached)}


def minus(records: Sequence[RefineRecord], other: Method, field: str) -> dict[str, Any] | None:
    """The model's share minus a baseline's on the same requests, in points."""
    theirs = {(r.image, r.turn): bool(getattr(r, field)) for r in records if r.method == other}
    own = [r for r in records if r.method == "model"]
    if not own:
        return None
    changes = [float(getattr(r, field)) - theirs[r.image, r.turn] for r in own]
    points, ci95 = in_percent(changes, [r.object_id for r in own])
    return {"points": points, "ci95": ci95, "n": len(own)}


def unmet_figures(records: Sequence[RefineRecord]) -> dict[str, Any]:
    """Of requests that no label satisfies: answers that say so, and valid ones."""
    said = [r for r in records if r.says_unmet is not None]
    return {"n": len(records), "says_unmet": share(said, "says_unmet"), "valid": share(records, "valid")}
