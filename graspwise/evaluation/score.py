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
from graspwise.evaluation.protocol import View, workspace_view
from graspwise.grasp import Grasp
from graspwise.metric import is_hit, is_oblique, matches
from graspwise.model.responder import Responder
from graspwise.picture import Picture
from graspwise.predict import grasp_json, grasps_of
from graspwise.rectangle import GraspRectangle
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
        grasp: The grasp in the data set picture's frame; None where the answer holds none.
        reasoning: The reason.
        seconds: Time of the batch, shared among its answers.
        parsed: Whether the answer holds a valid grasp; one without is wrong.
        known_category: Whether the model was trained on two or more objects of this category.
        label_opening: Of a hit, the opening of the label it overlaps most with ground-truth w, fraction of the data set
            picture's width, as the grasp's own; None of a miss.
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
    grasp: dict[str, float | None] | None
    reasoning: str
    seconds: float
    parsed: bool = True
    known_category: bool = False
    label_opening: float | None = None


def score(
    responder: Responder,
    dataset: Dataset,
    samples: Sequence[Sample],
    *,
    view: View = workspace_view,
    seen: frozenset[str] = frozenset(),
    known: frozenset[str] = frozenset(),
    batch: int = 32,
    instruction: str = UNNAMED,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Records of a model on unaugmented samples.

    Args:
        responder: The model.
        dataset: Where the samples' pictures are.
        samples: Which samples; their own instructions are not used, so that none gives the category away.
        view: What of the samples' pictures it is shown.
        seen: Object ids that the model was trained on.
        known: Categories that it was trained on two or more objects of.
        batch: Pictures answered together.
        instruction: What is asked of every picture.
        report: Called with the count done and the total.
    """
    conversation = [user_turn(instruction)]
    free = unconstrained(responder)
    records: list[Record] = []
    for start in range(0, len(samples), batch):
        chosen = samples[start : start + batch]
        pictures, fits = zip(
            *(square(dataset, s, responder.image_size, depth=responder.takes_depth, view=view) for s in chosen),
            strict=True,
        )
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
            size = fit.source_size
            grasps = grasps_of(response, transform=fit, box=(0, 0, *size))
            matched = [matched_label(g, labels=sample.rectangles, image_size=size) for g in grasps]
            best = matched[0] if matched else None
            own = bool(grasps) and grasps[0].opening is not None
            records.append(
                Record(
                    image=sample.source_image,
                    object_id=sample.object_id,
                    category=sample.category,
                    seen=sample.object_id in seen,
                    oblique=all(is_oblique(r) for r in sample.rectangles),
                    hit=best is not None,
                    hit_own=is_hit(grasps[0], labels=sample.rectangles, image_size=size, width="own") if own else None,
                    hit_any=any(label is not None for label in matched),
                    names_category=sample.category in names_in(response.reasoning) if response.reasoning else None,
                    intervened=response.intervened,
                    unconstrained_fails=index in failed,
                    grasp=grasp_json(grasps[0]) if grasps else None,
                    reasoning=response.reasoning,
                    seconds=round(seconds, 4),
                    parsed=bool(grasps),
                    known_category=sample.category in known,
                    label_opening=None if best is None else round(best.opening / size[0], 5),
                )
            )
        report(len(records), len(samples))
    return records


def square(dataset: Dataset, sample: Sample, side: int, *, depth: bool, view: View) -> tuple[Picture, Transform]:
    """What a model of that side is shown of a sample, and the transform from the sample's picture to it."""
    picture = dataset.picture(sample, depth=depth)
    fit = view(sample, picture.size, side)
    return fit.picture(picture), fit


def matched_label(
    grasp: Grasp, *, labels: Sequence[GraspRectangle], image_size: tuple[int, int]
) -> GraspRectangle | None:
    """The label that makes a grasp right with ground-truth w, of several the one it overlaps most; None of a miss."""
    found: list[tuple[float, GraspRectangle]] = []
    for label in labels:
        predicted = grasp.rectangle(image_size=image_size, opening=label.opening, jaw=label.jaw)
        if matches(predicted, label):
            found.append((predicted.iou(label), label))
    return max(found, key=lambda pair: pair[0], default=(0.0, None))[1]


def unconstrained(
    responder: Responder,
) -> Callable[[Sequence[Picture], Sequence[Sequence[Message]]], list[str]] | None:
    """A function that writes the same model's answers without the grammar; None for what writes no text."""
    from graspwise.model.llava_responder import LlavaResponder

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
    # Where a model gives openings, an answer without a grasp is wrong by its own opening too.
    own += [r for r in records if not r.parsed] if own else []
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
        "parsed": share(records, "parsed"),
        "opening": opening_figures(records),
        "category_named": share(named, "names_category"),
        "naming": naming_share(records),
        "unconstrained_failures": share(records, "unconstrained_fails"),
        "grammar_intervened": share(records, "intervened"),
        "seconds_median": median(r.seconds for r in records),
        "by_category": {name: {"n": len(h), "hits": sum(h)} for name, h in sorted(by_category.items())},
    }


def opening_figures(records: Sequence[Record]) -> dict[str, Any]:
    """How far the model's own opening is from the label's, on its hits, beside the best single opening for those hits.

    Errors are mean absolute ones, openings and errors fractions of the picture's width. `constant` is the opening that
    suits those very hits best, the median of their labels, which no model can know: the strongest constant there is.
    """
    own, label = [], []
    for record in records:
        opening = record.grasp["opening"] if record.grasp else None
        if record.hit and opening is not None and record.label_opening is not None:
            own.append(opening)
            label.append(record.label_opening)
    if not own:
        return {"n": 0, "mae_hits": None, "constant": None, "mae_constant": None, "ratio": None}
    constant = median(label)
    error, constant_error = (float(np.abs(np.subtract(guess, label)).mean()) for guess in (own, constant))
    return {
        "n": len(own),
        "mae_hits": round(error, 5),
        "constant": round(constant, 5),
        "mae_constant": round(constant_error, 5),
        "ratio": round(error / constant_error, 4) if constant_error else None,
    }


def naming_share(records: Sequence[Any]) -> dict[str, Any]:
    """Share of the photographs of known categories whose category is named, among answers that could name one."""
    known = [r for r in records if r.known_category and r.names_category is not None]
    return {**share(known, "names_category"), "n": len(known)}


def share(records: Sequence[Any], field: str) -> dict[str, Any]:
    """Percentage of records whose field is true, with its interval."""
    if not records:
        return {"percent": None, "ci95": None}
    percent, ci95 = in_percent([bool(getattr(r, field)) for r in records], [r.object_id for r in records])
    return {"percent": percent, "ci95": ci95}


def in_percent(values: Sequence[float], objects: Sequence[str]) -> tuple[float, list[float]]:
    """The mean of values and its 95% interval over objects, times 100, to two decimals."""
    found = np.array(values, dtype=float)
    percent, *ends = (round(100 * value, 2) for value in (float(found.mean()), *bootstrap(found, objects)))
    return percent, ends


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
    changes = [float(bool(getattr(a, field))) - float(bool(getattr(b, field))) for a, b in pairs]
    points, ci95 = in_percent(changes, [a.object_id for a, _ in pairs])
    return {"points": points, "ci95": ci95, "n": len(pairs)}
