"""Chat completions: what of an answer is told while it is written, and messages as turns."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import chat

from graspwise.answer import SPT, parse_grasp, render_grasp, target_of
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.predict import Answer
from graspwise.server.completions import Completion, read_messages, reasoning_so_far
from graspwise.server.schema import ChatRequest

TAIL = "Grasp point coordinates: [0.523, 0.317]\nRotation angle in radians: -0.78"
# What the grammar lets a model write, with much of what is awkward.
LETTERS = st.characters(exclude_characters="\n[]{}<>", exclude_categories=["Nd", "Cs", "No", "Nl"])
WRITTEN = st.text(st.one_of(st.sampled_from(" \t*_`\"'#(.,;:=xat"), LETTERS), min_size=1, max_size=60)


def answer_of(text: str, *, grasp: Grasp | None, reasoning: str) -> Answer:
    return Answer(
        reasoning=reasoning, grasp=grasp, grasps=(grasp,) if grasp else (), text=text, model_text=text, target=None,
        refused=False, model="m", mode="plain", image=None, image_size=(80, 40), seconds=0.1,
    )  # fmt: skip


def contents(events: str) -> list[str]:
    told = [json.loads(line[6:]) for line in events.split("\n\n") if line and not line.endswith("[DONE]")]
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in told]


@given(words=WRITTEN)
def test_what_is_told_word_by_word_is_the_beginning_of_the_answer(words):
    whole = f"{words}\n{TAIL}".strip()
    reasoning, _ = parse_grasp(whole)
    reasoning = target_of(reasoning)[0]
    for end in range(len(whole) + 1):
        assert reasoning.startswith(reasoning_so_far(whole[:end], "reasoned"))


@pytest.mark.parametrize("between", ["handle of the mug", "mug"])
def test_the_marks_of_a_target_are_never_told(between):
    whole = f"You want to drink, so here is the {SPT} {between} {SPT}, held at its rim.\n{TAIL}"
    reasoning = target_of(parse_grasp(whole)[0])[0]
    # A mark is one token, so that no text ends within it.
    ends = [end for end in range(len(whole)) if "[" not in whole[max(end - 4, 0) : end]]
    shown = [reasoning_so_far(whole[:end], "reasoned") for end in ends]
    assert all(reasoning.startswith(text) for text in shown)
    assert shown[-1] == reasoning


@pytest.mark.parametrize("answer_format", ["bare", "prompted"])
def test_numbers_of_the_models_frame_are_never_told(answer_format):
    assert reasoning_so_far("[0.523, 0.3", answer_format) == ""
    assert reasoning_so_far(TAIL[:30], answer_format) == ""


@given(words=WRITTEN, cuts=st.lists(st.integers(1, 30), max_size=10))
def test_the_pieces_of_a_stream_are_the_answers_text(words, cuts):
    whole = f"{words}\n{TAIL}".strip()
    grasp = Grasp(x=0.1, y=0.2, theta=0.3)
    reasoning = target_of(parse_grasp(whole)[0])[0]
    text = render_grasp(grasp, answer_format="reasoned", reasoning=reasoning).strip()
    completion, end, events = Completion("m"), 0, ""
    for cut in cuts:
        end += cut
        events += completion.writes(whole[:end], "reasoned")
    events += completion.last(answer_of(text, grasp=grasp, reasoning=reasoning))
    assert "".join(contents(events)) == text
    assert events.endswith("data: [DONE]\n\n")


def test_an_answer_that_comes_out_differently_is_told_whole():
    completion = Completion("m")
    told = completion.writes("There is no  mug", "reasoned")
    told += completion.last(answer_of("There is no  mug.", grasp=None, reasoning=""))
    assert "".join(contents(told)) == "There is no mug\nThere is no  mug."


def test_messages_are_turns_and_what_the_system_says_is_left_aside():
    body = chat("Pick it up", "Because. [0.5, 0.5], 0.1", "left")
    body["messages"].insert(0, {"role": "system", "content": "You are a robot."})
    image, said = read_messages(ChatRequest.model_validate(body).messages)
    assert image.startswith("data:image/png;base64,")
    assert [(turn.role, turn.text) for turn in said] == [
        ("user", "Pick it up"), ("assistant", "Because. [0.5, 0.5], 0.1"), ("user", "left"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda m: m[0].update(content="no picture"), "found 0 pictures"),
        (lambda m: m[0]["content"].append(m[0]["content"][0]), "found 2 pictures"),
        (lambda m: m[2].update(content=m[0]["content"]), "in a later turn"),
        (lambda m: m.insert(0, {"role": "assistant", "content": m[0]["content"]}), "in a later turn"),
    ],
)
def test_there_is_one_picture_in_the_first_turn(spoil, why):
    body = chat("a", "b", "c")
    spoil(body["messages"])
    with pytest.raises(InputError, match=why):
        read_messages(ChatRequest.model_validate(body).messages)
