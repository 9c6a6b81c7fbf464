"""Score a model on photographs it has not seen: one record a photograph, figures with intervals from the records.

Intervals are 95% bootstraps over objects, not photographs: pictures of one object are not independent.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from graspwise.answer import AnswerError, parse_grasp
from graspwise.conversation import Message, user_turn
from graspwise.data.store import Dataset, Sample
from graspwise.data.templates import load_reasoning
from graspwise.metric import is_hit, is_oblique
from graspwise.model.responder import Responder
from graspwise.predict import grasp_json, onto
from graspwise.transform import Transform

BOOTSTRAPS = 2000
UNNAMED = "Pick up the object."


@dataclass(frozen=True)
class Record:
    """What a model answered on one photograph, and whether it was right.

    Attributes:
        image: Name of the photograph.
        object_id: Its object.
        category: Its category.
        seen: Whether the model was trained on this object.
        oblique: Whether all of its labels lie 20 to 70 degrees off the picture's axes.
        hit: Right by the rectangle metric with ground-truth w.
        hit_own: Right with the model's own opening; None where it gives none.
        hit_any: One of its ranked grasps is right with ground-truth w.
        names_category: Whether the reasoning names the category; None without reasoning.
        intervened: Whether the grammar overruled a token.
        unconstrained_fails: Whether the answer without the grammar does not parse.
        grasp: The grasp in the data set picture's frame.
        reasoning: The reason.
        seconds: Time of the batch, shared among its answers.
    """

    image: str
    object_id: str
    category: str
    seen: bool
    oblique: bool
    hit: bool
    hit_own: bool | None
    hit_any: bool
    names_category: bool | None
    intervened: bool
    unconstrained_fails: bool
    grasp: dict[str, float | None]
    reasoning: str
    seconds: float


def score(
    responder: Responder,
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    seen: frozenset[str] = frozenset(),
    batch: int = 8,
    instruction: str = UNNAMED,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Records of a model on unaugmented samples.

    Args:
        responder: The model.
        dataset: Where the samples' pictures are.
        samples: Which samples; their own instructions are not used, so that none gives the category away.
        seen: Object ids that the model was trained on.
        batch: Pictures answered together.
        instruction: What is asked of every picture.
        report: Called with the count done and the total.
    """
    conversation = [user_turn(instruction)]
    free = unconstrained(responder)
    records: list[Record] = []
    for start in range(0, len(samples), batch):
        chosen = samples[start : start + batch]
        pictures, fits = zip(*(square(dataset, s, responder.image_size) for s in chosen), strict=True)
        started = time.perf_counter()
        responses = responder.respond(pictures, [conversation] * len(chosen))
        seconds = (time.perf_counter() - started) / len(chosen)
        # Only where the grammar overruled something can the free answer differ.
        doubtful = [i for i, r in enumerate(responses) if r.intervened]
        failed = set()
        if doubtful and free:
            texts = free([pictures[i] for i in doubtful], [conversation] * len(doubtful))
            failed = {i for i, text in zip(doubtful, texts, strict=True) if not parses(text)}
        for index, (sample, response, fit) in enumerate(zip(chosen, responses, fits, strict=True)):
            back = fit.inverse()
            grasps = [
                back.grasp(onto(g, transform=fit, box=(0, 0, *fit.source_size)))
                for g in (response.grasp, *response.others)
            ]
            size = fit.source_size
            right = [is_hit(g, labels=sample.rectangles, image_size=size) for g in grasps]
            own = grasps[0].opening is not None
            records.append(
                Record(
                    image=sample.source_image,
                    object_id=sample.object_id,
                    category=sample.category,
                    seen=sample.object_id in seen,
                    oblique=all(is_oblique(r) for r in sample.rectangles),
                    hit=right[0],
                    hit_own=is_hit(grasps[0], labels=sample.rectangles, image_size=size, width="own") if own else None,
                    hit_any=any(right),
                    names_category=sample.category in names_in(response.reasoning) if response.reasoning else None,
                    intervened=response.intervened,
                    unconstrained_fails=index in failed,
                    grasp=grasp_json(grasps[0]),
                    reasoning=response.reasoning,
                    seconds=round(seconds, 4),
                )
            )
        report(len(records), len(samples))
    return records


def square(dataset: Dataset, sample: Sample, side: int) -> tuple[np.ndarray, Transform]:
    picture = dataset.picture(sample)
    fit = Transform.letterbox(source_size=picture.size, size=(side, side))
    return fit.picture(picture).rgb, fit


def unconstrained(
    responder: Responder,
) -> Callable[[Sequence[np.ndarray], Sequence[Sequence[Message]]], list[str]] | None:
    """A function that writes the same model's answers without the grammar; None for what writes no text."""
    from graspwise.model.responder import LlavaResponder

    return responder.free_texts if isinstance(responder, LlavaResponder) else None


def names_in(reasoning: str) -> set[str]:
    """Categories that a reasoning names: whole words, and the longest name where one stands inside another.

    A "toothbrush" is no "brush", and a "paint bottle" no "bottle".
    """
    # "object" stands for no category in particular.
    names = sorted(load_reasoning().keys() - {"object"}, key=len, reverse=True)
    return set(re.findall(rf"\b(?:{'|'.join(map(re.escape, names))})\b", reasoning.lower()))


def parses(text: str) -> bool:
    try:
        parse_grasp(text)
    except AnswerError:
        return False
    return True


def summarise(records: Sequence[Record]) -> dict[str, Any]:
    """Figures of a set of records: shares in percent with 95% intervals, counts, and the accuracy by category."""
    if not records:
        return {"n": 0}
    objects = sorted({r.object_id for r in records})
    own = [r for r in records if r.hit_own is not None]
    named = [r for r in records if r.names_category is not None]
    oblique = [r for r in records if r.oblique]
    by_category: dict[str, list[bool]] = {}
    for record in records:
        by_category.setdefault(record.category, []).append(record.hit)
    return {
        "n": len(records),
        "objects": len(objects),
        "seen_objects": len({r.object_id for r in records if r.seen}),
        "accuracy": share(records, "hit"),
        "accuracy_own_opening": share(own, "hit_own"),
        "accuracy_any_of_ranked": share(records, "hit_any"),
        "accuracy_oblique": {**share(oblique, "hit"), "n": len(oblique)},
        "category_named": share(named, "names_category"),
        "unconstrained_failures": share(records, "unconstrained_fails"),
        "grammar_intervened": share(records, "intervened"),
        "seconds_median": median(r.seconds for r in records),
        "by_category": {name: {"n": len(h), "hits": sum(h)} for name, h in sorted(by_category.items())},
    }


def share(records: Sequence[Record], field: str) -> dict[str, Any]:
    """Percentage of records whose field is true, with its interval."""
    if not records:
        return {"percent": None, "ci95": None}
    values = np.array([bool(getattr(r, field)) for r in records], dtype=float)
    low, high = bootstrap(values, [r.object_id for r in records])
    return {"percent": round(100 * float(values.mean()), 2), "ci95": [round(100 * low, 2), round(100 * high, 2)]}


def bootstrap(values: np.ndarray, objects: Sequence[str], *, seed: int = 0) -> tuple[float, float]:
    """95% interval of the mean of `values` (n,), objects drawn with replacement."""
    names, index = np.unique(np.array(objects), return_inverse=True)
    sums = np.bincount(index, weights=values, minlength=len(names))
    counts = np.bincount(index, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(BOOTSTRAPS, len(names)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def paired_difference(ours: Sequence[Record], theirs: Sequence[Record], *, field: str = "hit") -> dict[str, Any]:
    """Difference in points, ours minus theirs, on the photographs both answered, with its paired interval."""
    other = {r.image: r for r in theirs}
    pairs = [(r, other[r.image]) for r in ours if r.image in other]
    values = np.array([float(bool(getattr(a, field))) - float(bool(getattr(b, field))) for a, b in pairs])
    low, high = bootstrap(values, [a.object_id for a, _ in pairs])
    return {
        "points": round(100 * float(values.mean()), 2),
        "ci95": [round(100 * low, 2), round(100 * high, 2)],
        "n": len(pairs),
    }
