"""What is taught about a grasp: facts in words, and conversations that change something."""

import numpy as np
import pytest

from graspwise.hand.grasps import Caption, HandGrasp
from graspwise.hand.language import GRASP
from graspwise.train.hand_lessons import lesson_of, reason_of, talk_lesson, wish_lesson, words_lesson


def grasp(fingers: dict[str, tuple[str, ...]], *captions: Caption, force: str = "firm") -> HandGrasp:
    return HandGrasp("mug", np.zeros(38, np.float32), fingers, force, captions)


BY_HANDLE = grasp(
    {"thumb": ("handle",), "index": ("handle", "body"), "palm": ("body",)},
    Caption("high", "Drink from it.", ((None, "handle"),)),
    Caption("talk", "By the handle, please.", ((None, "handle"),), ("rim",)),
)
BY_RIM = grasp({"thumb": ("rim",), "middle": ("rim",)}, Caption("low", "Two fingers on the rim."), force="light")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (BY_HANDLE, "Thumb and index on the handle, palm on the body; firm."),
        (BY_RIM, "Thumb and middle on the rim; light."),
        (grasp({"thumb": (), "index": (), "pinky": ()}), "Thumb, index and pinky on it; firm."),
        (grasp({}), "Nothing touches it; firm."),
    ],
)
def test_a_reason_is_the_facts_in_words(held: HandGrasp, said: str):
    assert reason_of(held) == said


def test_a_wish_is_answered_with_the_grasp():
    lesson = wish_lesson(BY_HANDLE, np.random.default_rng(0))
    assert lesson.turns == (("user", "Drink from it."),)
    assert lesson.grasp is BY_HANDLE and lesson.shown == () and "handle" in lesson.words


def test_a_grasp_is_answered_with_words():
    lesson = words_lesson(BY_RIM, np.random.default_rng(0))
    assert lesson.turns[0][1].startswith(GRASP) and lesson.shown == (BY_RIM,) and lesson.grasp is None


def test_a_conversation_begins_with_a_grasp_that_does_not_yet_do_what_is_asked():
    likewise = grasp({"index": ("handle",)}, Caption("high", "Lift it."))
    for seed in range(8):
        lesson = talk_lesson(BY_HANDLE, [likewise, BY_RIM], np.random.default_rng(seed))
        assert lesson.shown == (BY_RIM,)
    first, answered, then = lesson.turns
    assert first == ("user", "Two fingers on the rim.") and then == ("user", "By the handle, please.")
    assert answered == ("assistant", f"Thumb and middle on the rim; light.{GRASP}")
    assert lesson.grasp is BY_HANDLE


def test_where_no_part_is_asked_for_the_grasp_before_is_held_otherwise():
    two = grasp({"thumb": (), "index": ()}, Caption("talk", "with two fingers only"), force="light")
    alike = grasp({"thumb": (), "index": ()}, Caption("high", "Lift it."), force="light")
    three = grasp({"thumb": (), "index": (), "middle": ()}, Caption("high", "Turn it."), force="light")
    whole = grasp({"thumb": (), "palm": ()}, Caption("high", "Carry it."))

    def before(*others: HandGrasp) -> set[str]:
        lessons = [talk_lesson(two, others, np.random.default_rng(seed)) for seed in range(8)]
        return {lesson.turns[0][1] for lesson in lessons}

    assert before(alike, three, whole) == {"Carry it."}
    assert before(alike, three) == {"Turn it."}
    assert before(alike) == {"Lift it."}


def test_shares_of_the_kinds():
    def kinds(**shares: float) -> set[int]:
        rng = np.random.default_rng(1)
        lessons = [lesson_of(BY_HANDLE, [BY_HANDLE, BY_RIM], rng, **shares) for _ in range(20)]
        return {len(lesson.turns) if lesson.grasp else 0 for lesson in lessons}

    assert kinds(words=1.0, talk=0.0) == {0}
    assert kinds(words=0.0, talk=1.0) == {3}
    assert kinds(words=0.0, talk=0.0) == {1}
    # Without another grasp there is nothing to change.
    alone = lesson_of(BY_HANDLE, [BY_HANDLE], np.random.default_rng(0), words=0.0, talk=1.0)
    assert len(alone.turns) == 1
