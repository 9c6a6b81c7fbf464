"""What a hand language model is taught to say: a grasp for a wish, words for a grasp, another grasp when asked to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graspwise.hand.captions import listed
from graspwise.hand.causal import Turn
from graspwise.hand.grasps import HandGrasp
from graspwise.hand.language import DESCRIBE, GRASP
from graspwise.hand.metrics import part_agreement
from graspwise.hand.model import REGIONS


@dataclass(frozen=True)
class HandLesson:
    """A conversation about one object and the answer to learn.

    Attributes:
        turns: What was said before the answer.
        shown: The grasps in the turns, in order; at most one.
        words: The answer's words.
        grasp: What the answer holds; None where it is words alone.
    """

    turns: tuple[Turn, ...]
    shown: tuple[HandGrasp, ...]
    words: str
    grasp: HandGrasp | None


def wish_lesson(grasp: HandGrasp, rng: np.random.Generator) -> HandLesson:
    """A caption asks for the grasp."""
    return HandLesson((("user", drawn(grasp, rng)),), (), reason_of(grasp), grasp)


def words_lesson(grasp: HandGrasp, rng: np.random.Generator) -> HandLesson:
    """The grasp is shown and put in words."""
    said = reason_of(grasp) if rng.random() < 0.5 else drawn(grasp, rng)
    return HandLesson((("user", f"{GRASP}\n{DESCRIBE}"),), (grasp,), said, None)


def talk_lesson(grasp: HandGrasp, others: Sequence[HandGrasp], rng: np.random.Generator) -> HandLesson:
    """Another grasp on the object stands there, and a request makes this one of it.

    Of the others one that does not yet do what is asked, where there is one: by its contacts where parts are asked
    for, else held otherwise, by its force or at least by its fingers.
    """
    requests = [caption for caption in grasp.captions if caption.level == "talk"]
    request = requests[int(rng.integers(len(requests)))]
    if request.asked or request.free:
        wrong = [o for o in others if part_agreement(o.fingers, asked=request.asked, free=request.free) < 1]
    else:
        wrong = [o for o in others if o.force != grasp.force]
        wrong = wrong or [o for o in others if o.fingers.keys() != grasp.fingers.keys()]
    before = (wrong or others)[int(rng.integers(len(wrong or others)))]
    turns = (("user", drawn(before, rng)), ("assistant", f"{reason_of(before)}{GRASP}"), ("user", request.text))
    return HandLesson(turns, (before,), reason_of(grasp), grasp)


def lesson_of(
    grasp: HandGrasp, beside: Sequence[HandGrasp], rng: np.random.Generator, *, words: float, talk: float
) -> HandLesson:
    """A lesson about a grasp.

    Args:
        grasp: It has captions.
        beside: All grasps on the same object that have captions.
        rng: Draws.
        words: Share of lessons that put a grasp in words.
        talk: Share of conversations, where the grasp has a caption for one.
    """
    kind = rng.random()
    if kind < words:
        return words_lesson(grasp, rng)
    others = [other for other in beside if other is not grasp and has_request(other)]
    if kind < words + talk and others and any(caption.level == "talk" for caption in grasp.captions):
        return talk_lesson(grasp, others, rng)
    return wish_lesson(grasp, rng)


def has_request(grasp: HandGrasp) -> bool:
    """Whether a caption asks for the grasp by itself."""
    return any(caption.level != "talk" for caption in grasp.captions)


def drawn(grasp: HandGrasp, rng: np.random.Generator) -> str:
    """One of the captions that ask for the grasp by themselves."""
    texts = [caption.text for caption in grasp.captions if caption.level != "talk"]
    return texts[rng.integers(len(texts))]


def reason_of(grasp: HandGrasp) -> str:
    """The grasp's facts in short words: which fingers are on which part, and how firmly."""
    on = fingers_on(grasp.fingers)
    held = ", ".join(f"{listed(fingers)} on {'it' if part is None else f'the {part}'}" for part, fingers in on.items())
    return f"{held[:1].upper()}{held[1:] or 'Nothing touches it'}; {grasp.force}."


def fingers_on(touched: Mapping[str, Sequence[str]]) -> dict[str | None, list[str]]:
    """By part the fingers that touch it most, the part with the most fingers first; None for parts without a name."""
    on: dict[str | None, list[str]] = {}
    for finger in REGIONS:
        if finger in touched:
            on.setdefault(touched[finger][0] if touched[finger] else None, []).append(finger)
    return dict(sorted(on.items(), key=lambda entry: -len(entry[1])))
