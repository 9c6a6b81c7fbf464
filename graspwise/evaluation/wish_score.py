"""An answer to a wish, scored: which thing it means, whether its grasps are right, whether it rightly refuses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Self

from graspwise.data.wish_facts import NAMELESS, Thing, shipped_facts
from graspwise.data.wishes import KINDS
from graspwise.evaluation.score import in_percent
from graspwise.evaluation.wish_metric import recall_at
from graspwise.evaluation.wish_questions import ANYTHING, NOTHING, Question, Seen, Stage
from graspwise.grasp import Grasp
from graspwise.predict import grasp_json

SETS: tuple[Seen, ...] = ("seen", "unseen")
Share = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """An answer in the frame of the scene's picture.

    Attributes:
        grasps: Ranked, best first; () where it refuses or holds none.
        target: Name of the thing it means, where it names one.
        refused: Whether it refuses.
        reasoning: Its words.
        seconds: How long it took.
    """

    grasps: tuple[Grasp, ...]
    target: str | None
    refused: bool
    reasoning: str
    seconds: float


@dataclass(frozen=True)
class WishRecord:
    """What a model answered to a wish, and whether it was right.

    Attributes:
        objects: "seen" or "unseen".
        scene: The scene's name.
        object_id: What intervals are bootstrapped over: the object that is the question's first target, as in
            "train/mug-07"; the scene with its set for `NOTHING`.
        things: Things in view.
        kind: The question's kind.
        wish: What was asked.
        refused: Whether it refused.
        target: The name it gave; None without one.
        named: Whether that is a right thing's name, whatever the part; None for `NOTHING`.
        placed: Whether its first grasp is right, or its middle lies on a right target, on the right part where the wish
            is about one; None for `NOTHING`.
        hit_first: R@1; None for `NOTHING`.
        hit_three: R@3; None for `NOTHING`.
        grasps: As the model ranked them.
        reasoning: Its words.
        seconds: How long it took.
    """

    objects: Seen
    scene: str
    object_id: str
    things: int
    kind: str
    wish: str
    refused: bool
    target: str | None
    named: bool | None
    placed: bool | None
    hit_first: bool | None
    hit_three: bool | None
    grasps: tuple[dict[str, float | None], ...]
    reasoning: str
    seconds: float

    @property
    def place(self) -> str:
        """The scene with its set: scenes of both have the same names."""
        return f"{self.objects}/{self.scene}"

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**{**value, "grasps": tuple(value["grasps"])})


def record_of(question: Question, said: Said, stage: Stage) -> WishRecord:
    """Score an answer to a question that was asked of a scene."""
    placed = first = three = named = None
    if question.kind != NOTHING:
        right, size = stage.right(question.targets), stage.scene.image_size
        first, three = (recall_at(said.grasps, right, k=k, image_size=size) for k in (1, 3))
        placed = first or (bool(said.grasps) and stage.is_on(said.grasps[0], question.targets))
        named = not said.refused and named_right(said.target, question, stage.scene.things)
    return WishRecord(
        objects=question.objects, scene=question.scene,
        object_id=stage.object_id(question.targets) or question.place, things=question.things, kind=question.kind,
        wish=question.text, refused=said.refused, target=said.target, named=named, placed=placed, hit_first=first,
        hit_three=three, grasps=tuple(grasp_json(grasp) for grasp in said.grasps), reasoning=said.reasoning,
        seconds=round(said.seconds, 4),
    )  # fmt: skip


def with_plate(said: Said, plate: float | None) -> Said:
    """The answer with that plate, fraction of the picture's width, on all its grasps that come without one.

    Half the opening, which stands for no plate elsewhere, is not how long a gripper's plates are.
    """
    return replace(said, grasps=tuple(g if g.jaw is not None else replace(g, jaw=plate) for g in said.grasps))


def named_right(said: str | None, question: Question, things: Sequence[Thing]) -> bool:
    """Whether a name means a right target: of all names that stand in it the longest is a right one's.

    So "the red mug" and "handle of the mug" mean the mug, and a "paint brush" is not the brush, in view or not.

    Args:
        said: The name given.
        question: What was asked.
        things: All that is in view; the categories of the facts are known beside them.
    """
    if said is None:
        return False
    indices = {target.index for target in question.targets}
    right = {target.name for target in question.targets} | {t.description for t in things if t.index in indices}
    known = {name for thing in things for name in (thing.category, thing.description)} | right
    known |= shipped_facts().categories.keys() - {NAMELESS}
    # A part may be called as a thing is: the bowl of the spoon.
    words = f" {in_words(said).rpartition(' of the ')[2]} "
    inside = [name for name in known if f" {in_words(name)} " in words]
    longest = max(map(len, inside), default=0)
    return bool(inside) and all(name in right for name in inside if len(name) == longest)


def in_words(text: str) -> str:
    """Letters and digits in small letters, one blank between words."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def summarise_wishes(records: Sequence[WishRecord]) -> dict[str, Any]:
    """Figures of one model, shares in percent with 95% intervals over objects.

    Returns:
        `kinds`: by kind and set R@1, R@3; `targets`: by set and over the four kinds, which thing is meant, by name and
        by place, and R@1 of those placed right; `refusals`; `by_things`: R@1 and seconds by the count of things.
    """
    asked = [r for r in records if r.kind in KINDS]
    if not names_targets(records):
        asked = [replace(r, named=None) for r in asked]
    by_set = {name: [r for r in asked if r.objects == name] for name in SETS}
    return {
        "n": len(records),
        "scenes": len({r.place for r in records}),
        "kinds": {
            kind: {name: figures([r for r in rows if r.kind == kind]) for name, rows in by_set.items()}
            for kind in KINDS
        },
        "targets": {name: figures(rows) for name, rows in by_set.items()},
        "refusals": {name: refusals([r for r in records if r.objects == name]) for name in SETS},
        "by_things": {
            str(count): {
                **share([r for r in asked if r.things == count], "hit_first"),
                "placed": share([r for r in asked if r.things == count], "placed"),
                "seconds_median": seconds([r for r in records if r.things == count]),
            }
            for count in sorted({r.things for r in records})
        },
        "seconds_median": seconds(records),
    }


def names_targets(records: Sequence[WishRecord]) -> bool:
    """Whether a model names targets at all; of one that does, an answer without a name has the wrong one."""
    return any(r.target is not None for r in records)


def figures(records: Sequence[WishRecord]) -> dict[str, Any]:
    """R@1, R@3, which thing is meant by name and by place, and R@1 of those that mean the right thing by place."""
    return {
        "n": len(records),
        "r1": share(records, "hit_first"),
        "r3": share(records, "hit_three"),
        "named": share([r for r in records if r.named is not None], "named"),
        "placed": share(records, "placed"),
        "r1_of_placed": share([r for r in records if r.placed], "hit_first"),
    }


def refusals(records: Sequence[WishRecord]) -> dict[str, Any]:
    """How often it refuses what nothing serves, how often a refusal is right, and what it should have served.

    Returns:
        `recall`: of wishes that nothing serves, those refused; `precision`: of refusals, those that are right, with
        wishes without a target among the wrong ones; `wrongly`: of wishes that something serves, those refused;
        `any_target`: of wishes that name no target, those refused, which should be none.
    """
    none = [r for r in records if r.kind == NOTHING]
    refused = [r for r in records if r.refused]
    return {
        "recall": share(none, "refused"),
        "precision": percent([r.kind == NOTHING for r in refused], [r.object_id for r in refused]),
        "wrongly": share([r for r in records if r.kind in KINDS], "refused"),
        "any_target": share([r for r in records if r.kind == ANYTHING], "refused"),
    }


def share(records: Sequence[WishRecord], field: str) -> Share:
    """Percentage of records whose field is true, its interval over objects, and the count."""
    return percent([bool(getattr(r, field)) for r in records], [r.object_id for r in records])


def percent(values: Sequence[float], objects: Sequence[str]) -> Share:
    """Mean of values, times 100, its interval over their objects, and the count."""
    if not values:
        return {"percent": None, "ci95": None, "n": 0}
    value, ci95 = in_percent(values, objects)
    return {"percent": value, "ci95": ci95, "n": len(values)}


def paired(ours: Sequence[WishRecord], theirs: Sequence[WishRecord], *, objects: Seen) -> Share | None:
    """R@1 over the four kinds, ours minus theirs in points on the wishes both were asked, its interval over objects."""
    other: dict[tuple[str, str], WishRecord] = {
        (r.place, r.kind): r for r in theirs if r.kind in KINDS and r.objects == objects
    }
    pairs = [(r, other[r.place, r.kind]) for r in ours if (r.place, r.kind) in other]
    if not pairs:
        return None
    changes = [float(bool(a.hit_first)) - float(bool(b.hit_first)) for a, b in pairs]
    points, ci95 = in_percent(changes, [a.object_id for a, _ in pairs])
    return {"points": points, "ci95": ci95, "n": len(pairs)}


def seconds(records: Sequence[WishRecord]) -> float | None:
    """Median time of an answer; None without any."""
    return round(float(median(r.seconds for r in records)), 3) if records else None
