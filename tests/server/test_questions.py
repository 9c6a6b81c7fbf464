"""Questions: turns that alternate, numbers in the model's frame, and no large picture in the queue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import Writer, picture_base64, picture_bytes

from graspwise.answer import SPT, parse_grasp, render_grasp, target_of
from graspwise.conversation import text_of, user_turn
from graspwise.dialogue import Dialogue, Turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp, angle_difference
from graspwise.model.responder import Response
from graspwise.predict import Model
from graspwise.server.limits import Limits
from graspwise.server.pictures import open_upload
from graspwise.server.questions import Said, public_name, question

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


MARKED = (
    f"You want to drink, so here is the {SPT} handle of the mug {SPT}, held at its rim.\n"
    "Grasp point coordinates: [0.523, 0.417]\nRotation angle in radians: -0.78"
)


def marked_answer():
    """What `MARKED` is to a user, by the model's own way."""
    reasoning, grasp = parse_grasp(MARKED)
    plain, target = target_of(reasoning)
    view = MODEL.look(open_upload(picture_bytes((80, 40)), pixels=10_000))
    return view.in_picture(Response(MARKED, plain, grasp, target=target), seconds=0)


def test_the_model_is_shown_what_chat_would_show_it():
    answer = marked_answer()
    assert SPT not in answer.text and answer.to_json()["model_text"] == MARKED
    dialogue = Dialogue(MODEL.look(open_upload(picture_bytes((80, 40)), pixels=10_000)))
    dialogue.turns = (Turn("Pick it up", answer),)
    said = [Said("user", "Pick it up"), Said("assistant", answer.text, answer.model_text), Said("user", "left")]
    asked = question(MODEL, PICTURE, said, workspace=None, limits=LIMITS)
    assert list(asked.conversation) == [*dialogue.messages, user_turn("left", image=False)]


def test_in_another_workspace_the_words_keep_their_target_and_the_numbers_are_taken_over():
    answer = marked_answer()
    said = [Said("user", "a"), Said("assistant", answer.text, answer.model_text), Said("user", "b")]
    asked = question(MODEL, PICTURE, said, workspace=BOX, limits=LIMITS)
    reasoning, grasp = parse_grasp(text_of(asked.conversation[1]))
    assert reasoning == parse_grasp(MARKED)[0]
    assert grasp.x == pytest.approx((answer.grasp.x * 80 - 10) / 50, abs=0.002)


@pytest.mark.parametrize("wrote", ["", "no numbers", MARKED.replace("rim", "base"), MARKED[: MARKED.index("[0.5")]])
def test_what_a_model_is_said_to_have_written_and_did_not_is_left_aside(wrote):
    answer = marked_answer()
    said = [Said("user", "a"), Said("assistant", answer.text, wrote), Said("user", "b")]
    shown = text_of(question(MODEL, PICTURE, said, workspace=None, limits=LIMITS).conversation[1])
    assert shown == answer_shown(answer.text) and SPT not in shown


def test_an_answer_outside_the_workspace_keeps_its_words_alone():
    said = "On the far right.\n[0.950, 0.500], +0.10"
    assert parse_grasp(answer_shown(said))[1].x > 0.9
    assert answer_shown(said, workspace=BOX) == "On the far right."


@pytest.mark.parametrize("x, kept", [(0.124, True), (0.1245, True), (0.751, True), (0.122, False), (0.753, False)])
def test_a_grasp_at_the_workspaces_edge_is_not_lost_by_rounding(x, kept):
    shown = answer_shown(f"At the edge.\n[{x:.4f}, 0.500], +0.10", workspace=BOX)
    if not kept:
        assert shown == "At the edge."
    else:
        assert parse_grasp(shown)[1].x == pytest.approx(round(x), abs=0.0011)


@given(x=st.floats(0, 1), y=st.floats(0, 1))
def test_whatever_lies_in_a_workspace_comes_back_with_its_numbers(x, y):
    box = (13, 3, 60, 37)
    view = MODEL.look(open_upload(picture_bytes((80, 40)), pixels=10_000), workspace=box)
    inside = view.transform.grasp(Grasp(x=(13 + 47 * x) / 80, y=(3 + 34 * y) / 40, theta=0.3))
    told = view.in_picture(Response("", "Because.", inside), seconds=0)
    assert parse_grasp(answer_shown(told.text, workspace=box))[1].x == pytest.approx(inside.x, abs=0.0025)


@pytest.mark.parametrize(
    "name, shown",
    [
        ("small", "small"),
        ("someone/a-model", "someone/a-model"),
        ("http://10.0.0.7:8000/v1#llava", "llava"),
        ("https://10.0.0.7/v1#someone/a-model", "someone/a-model"),
        ("http://10.0.0.7:8000/v1#/srv/secret/llava", "llava"),
    ],
)
def test_clients_know_a_model_by_its_name_alone(name, shown):
    assert public_name(name) == shown


def test_a_models_folder_is_known_by_its_last_part(tmp_path):
    (tmp_path / "mine").mkdir()
    assert public_name(f"{tmp_path}/mine/") == "mine"


def test_what_a_language_model_would_read_too_long_at_is_refused_before_the_queue():
    # As many tokens as words.
    said = turns("a " * 30, "b", "c")
    assert question(MODEL, PICTURE, said, workspace=None, limits=Limits(tokens=32))
    with pytest.raises(InputError, match="32 tokens with the picture; valid is at most 31"):
        question(MODEL, PICTURE, said, workspace=None, limits=Limits(tokens=31))


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
