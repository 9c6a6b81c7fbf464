"""Time and memory of one answer, in a process of its own."""

from functools import partial

import numpy as np

from graspwise.conversation import user_turn
from graspwise.evaluation.alone import answer_alone, measure_alone
from graspwise.model.registry import open_responder
from graspwise.model.responder import Response
from graspwise.picture import Picture

CONVERSATION = [user_turn("Pick up the object.")]


def pictures(count: int) -> list[Picture]:
    return [Picture(np.full((64, 64, 3), 40 * number, np.uint8)) for number in range(count)]


class Talkative:
    """Answers nothing, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def respond(self, pictures, conversations):
        self.asked.append(len(pictures))
        assert len(conversations) == len(pictures)
        return [Response("", "", None)] * len(pictures)


def test_each_picture_is_answered_alone():
    model = Talkative()
    found = answer_alone(lambda: model, pictures(3), CONVERSATION)  # type: ignore[arg-type, return-value]
    assert model.asked == [1, 1, 1]
    assert found["seconds_single"] >= 0 and found["memory_mib"] > 1


def test_what_this_process_holds_does_not_count():
    before = measure_alone(partial(open_responder, "centre"), pictures(2), CONVERSATION)
    ballast = np.ones(64 * 2**20 // 8 * 4)
    after = measure_alone(partial(open_responder, "centre"), pictures(2), CONVERSATION)
    assert ballast.nbytes > 200 * 2**20
    assert abs(after["memory_mib"] - before["memory_mib"]) < 50
