"""Questions: turns that alternate, numbers in the model's frame, and no large picture in the queue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import Writer, picture_base64

from graspwise.answer import parse_grasp, render_grasp
from graspwise.conversation import text_of
from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.predict import Model
from graspwise.server.limits import Limits
from graspwise.server.questions import Said, question

LIMITS = Limits(turns=3)
MODEL = Model(Writer())
PICTURE = picture_base64((80, 40))
BOX = (10, 0, 60, 40)


def turns(*texts: str) -> list[Said]:
    return [Said("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]


def answer_shown(text: str, **options) -> str:
    asked = question(MODEL, PICTURE, turns("Pick it up", text, "left"), limits=LIMITS, **{"workspace": None, **options})
    return text_of(asked.conversation[1])


@given(x=st.floats(0, 1), y=st.floats(0, 1), theta=st.floats(-1.5, 1.5))
def test_an_earlier_answer_reaches_the_model_in_its_own_frame_and_comes_back(x, y, theta):
    said = render_grasp(Grasp(x=x, y=y, theta=theta), answer_format="reasoned", reasoning="Because.")
    asked = question(MODEL, PICTURE, turns("a", said, "b"), workspace=None, limits=LIMITS)
    reasoning, inside = parse_grasp(text_of(asked.conversation[1]))
    assert reasoning == "Because."
    # The picture is twice as wide as high, so the model sees it between two bars.
    assert inside.y == pytest.approx(0.25 + y / 2, abs=0.002)
    back = asked.view.transform.inverse().grasp(inside) if 0.25 <= inside.y <= 0.75 else inside
    if back is not inside:
        assert (back.x, back.y) == (pytest.approx(x, abs=0.003), pytest.approx(y, abs=0.003))
        assert angle_difference(back.theta, theta) < 0.011


def test_an_answer_without_a_grasp_is_passed_as_it_is():
    assert answer_shown("Nothing here  serves that.") == "Nothing here  serves that."


def test_an_answer_outside_the_workspace_keeps_its_words_alone():
    said = "On the far right.\n[0.950, 0.500], +0.10"
    assert parse_grasp(answer_shown(said))[1].x > 0.9
    assert answer_shown(said, workspace=BOX) == "On the far right."


def test_the_picture_itself_does_not_wait_in_the_queue():
    asked = question(MODEL, picture_base64((3000, 1500)), turns("a"), workspace=None, limits=LIMITS)
    assert asked.square.size == (64, 64)
    assert asked.view.picture.size == (3000, 1500)
    assert asked.view.picture.rgb.base.nbytes < 100


def test_follow_ups_bring_no_second_picture():
    asked = question(MODEL, PICTURE, turns("Pick  it\nup", "x", " left "), workspace=None, limits=LIMITS)
    assert [text_of(m) for m in asked.conversation] == ["Pick it up", "x", "left"]
    assert [[p["type"] for p in m["content"]] for m in asked.conversation] == [["image", "text"], ["text"], ["text"]]


@pytest.mark.parametrize(
    "said, why",
    [
        ([], "last turn is not the user's"),
        (turns("a", "b"), "last turn is not the user's"),
        ([Said("assistant", "a")], "turn 1 is the assistant's"),
        ([Said("user", "a"), Said("user", "b")], "turn 2 is the user's"),
        (turns("a", "b", " "), "instruction is empty"),
        (turns("a" * 2001), "2001 characters"),
        (turns("a", "b" * 2001, "c"), "2001 characters"),
        (turns(*"abcdefg"), "4 turns of the user; valid is at most 3"),
        (turns(*["a" * 1999] * 5), "9995 characters together"),
    ],
)
def test_turns_that_are_none_are_refused(said, why):
    with pytest.raises(InputError, match=why):
        question(MODEL, PICTURE, said, workspace=None, limits=LIMITS)


def test_a_workspace_outside_the_picture_is_refused():
    with pytest.raises(InputError, match="does not fit"):
        question(MODEL, PICTURE, turns("a"), workspace=(0, 0, 81, 40), limits=LIMITS)


@pytest.mark.parametrize("field, value", [("queue", 0), ("seconds", float("nan")), ("pixels", 10**9), ("body", -1)])
def test_limits_are_above_nothing(field, value):
    with pytest.raises(InputError, match=field):
        Limits(**{field: value})
