"""Figures of the refinement benchmark from its records, with 95% intervals over objects."""

from collections.abc import Sequence
from typing import Any

from graspwise.data.requests import KINDS
from graspwise.evaluation.refine_talk import METHODS, Method, RefineRecord
from graspwise.evaluation.score import in_percent, share

FIGURES = ("obeyed", "valid", "both", "steady")
COMPARED = ("obeyed", "both")


def refinement_summary(records: Sequence[RefineRecord]) -> dict[str, Any]:
    """What a report shows: by turn, by kind, of requests that cannot be met, and against the baselines.

    Args:
        records: Of one model, each request once a method.
    """
    turns = sorted({r.turn for r in records})
    met = [r for r in records if r.satisfiable]
    own = [r for r in met if r.method == "model"]
    return {
        "photographs": len({r.image for r in records}),
        "objects": len({r.object_id for r in records}),
        "seen_objects": len({r.object_id for r in records if r.seen}),
        "turns": {
            str(turn): {method: figures([r for r in met if (r.turn, r.method) == (turn, method)]) for method in METHODS}
            for turn in turns
        },
        "through": {str(turn): through(own, turn) for turn in turns},
        "minus": {
            other: {
                str(turn): {field: minus([r for r in met if r.turn == turn], other, field) for field in COMPARED}
                for turn in turns
            }
            for other in METHODS[1:]
        },
        "kinds": {
            kind: found for kind in KINDS if (found := figures([r for r in own if r.kind == kind]))["n"]
        },
        "unmet": unmet_figures([r for r in records if not r.satisfiable and r.method == "model"]),
    }  # fmt: skip


def figures(records: Sequence[RefineRecord]) -> dict[str, Any]:
    """Shares of records in percent; steadiness of those obeyed that have something to keep."""
    # Whoever changes nothing keeps everything.
    kept = [r for r in records if r.obeyed and r.steady is not None]
    value: dict[str, Any] = {field: share(records, field) for field in FIGURES[:3]}
    return {**value, "steady": {**share(kept, "steady"), "n": len(kept)}, "n": len(records)}


def through(records: Sequence[RefineRecord], turn: int) -> dict[str, Any]:
    """Share of the conversations with a request at this turn whose requests so far were all obeyed and valid."""
    reached = {r.image: r.object_id for r in records if r.turn == turn}
    failed = {r.image for r in records if r.turn <= turn and not r.both}
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
