"""The reasons that a run taught, by which answers are drafted later; they decide nothing."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from graspwise.answer import AnswerError, parse_grasp
from graspwise.conversation import text_of
from graspwise.data.store import Sample
from graspwise.train.steer_tasks import reason_of

# Lines that a model folder keeps: about 150 KB, and more say little that these do not.
MOST = 1500
# Samples that are read for them.
READ = 20_000
T = TypeVar("T")


def taught_reasons(samples: Sequence[Sample], *, marked: bool, before: Sequence[str] = ()) -> tuple[str, ...]:
    """Distinct reasons of answers, at most `MOST`, evenly over the samples.

    Args:
        samples: Of the training part, their answers reasoned.
        marked: Whether the targets stand between two [SPT].
        before: What was taught in an earlier run.
    """
    found: dict[str, None] = {}
    for sample in evenly(samples, READ):
        first = reason_of(sample) if marked else reason_in(sample.answer)
        later = [
            reason_in(text_of(turn)) for turn in sample.messages[sample.start + 2 :] if turn["role"] == "assistant"
        ]
        found |= dict.fromkeys([first, *later])
    fresh = [text for text in found if text]
    # What came before has its share, so that it is not forgotten.
    kept = [*evenly(before, MOST // 4)]
    return tuple(dict.fromkeys([*kept, *evenly(fresh, MOST - len(kept))]))


def reason_in(answer: str) -> str:
    """The reason of an answer; of a refusal all of it."""
    try:
        return parse_grasp(answer)[0]
    except AnswerError:
        return answer


def evenly(items: Sequence[T], count: int) -> Iterator[T]:
    """So many of the items, evenly over them; all where there are no more."""
    step = max(len(items) / count, 1.0) if count else 1.0
    return (items[int(place * step)] for place in range(min(count, len(items))))
