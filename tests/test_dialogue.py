"""Dialogues: what the model is shown, what is on show, taking back, and transcripts that are asked again."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from graspwise.conversation import text_of
from graspwise.dialogue import Dialogue, Transcript, read_transcript
from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.predict import Model

FIRST, SECOND = Grasp(x=0.25, y=0.5, theta=0.3, opening=0.2), Grasp(x=0.75, y=0.5, theta=-0.3, opening=0.2)


class Scripted:
    """A responder that gives its grasps in turn, by how much it has been told; None refuses. It keeps what it saw."""

    name, image_size, answer_format, mode, takes_depth = "scripted", 64, "bare", "plain", False

    def __init__(self, *grasps: Grasp | None) -> None:
        self.grasps, self.seen = grasps, []

    def respond(self, pictures, conversations):
        self.seen += conversations
        turn = sum(message["role"] == "user" for message in conversations[0]) - 1
        if text_of(conversations[0][-1]) == "too much":
            raise InputError("the conversation: 9 tokens with its picture; valid is at most 8")
        grasp = self.grasps[min(turn, len(self.grasps) - 1)]
        return [Response(f"as written {turn}", "Because." if grasp else "No.", grasp, refused=grasp is None)]


def talk(*grasps: Grasp | None, picture=None, **kwargs) -> tuple[Dialogue, Scripted]:
    scripted = Scripted(*grasps)
    view = Model(scripted).look(np.zeros((50, 100, 3), np.uint8) if picture is None else picture)
    return Dialogue(view, **kwargs), scripted


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 100, 3), dtype=np.uint8)).save(tmp_path / "p.png")
    return tmp_path / "p.png"


def test_the_model_is_shown_what_it_wrote_and_the_user_what_is_true_of_the_picture():
    dialogue, scripted = talk(FIRST, SECOND)
    first = dialogue.ask("  Pick up\nthe mug ")
    dialogue.ask("further right")
    shown = scripted.seen[1]
    assert [message["role"] for message in shown] == ["user", "assistant", "user"]
    assert [text_of(message) for message in shown] == ["Pick up the mug", "as written 0", "further right"]
    assert [part["type"] for message in shown for part in message["content"]] == ["image", "text", "text", "text"]
    # The picture is half as high as wide, so that the square's y is not the picture's.
    assert first.text == "[0.250, 0.500], +0.30" != first.model_text
    assert len(dialogue.messages) == 4 and dialogue.messages[:3] == shown


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=30))
def test_turns_are_a_stack(deeds):
    """None takes back. Whatever was done, the model is shown the turns that are left, and nothing else."""
    dialogue, scripted = talk(FIRST, SECOND, limit=5)
    expected = []
    for deed in deeds:
        if deed is None and expected:
            assert dialogue.undo().asked == expected.pop()
        elif deed is not None and len(expected) < 5:
            dialogue.ask(deed)
            expected.append(deed)
            assert [text_of(m) for m in scripted.seen[-1] if m["role"] == "user"] == expected
        else:
            with pytest.raises(InputError):
                dialogue.undo() if deed is None else dialogue.ask(deed)
        assert [turn.asked for turn in dialogue.turns] == expected
        pictures = [part["type"] for message in dialogue.messages for part in message["content"]].count("image")
        assert pictures == min(len(expected), 1)


@pytest.mark.parametrize("text", ["", " \n", "a" * 2001, "too much"])
def test_what_cannot_be_asked_leaves_the_conversation_as_it_was(text):
    dialogue, _ = talk(FIRST)
    dialogue.ask("Pick it up")
    kept = dialogue.turns
    with pytest.raises(InputError):
        dialogue.ask(text)
    assert dialogue.turns == kept


def test_the_limit_is_said():
    dialogue, scripted = talk(FIRST, limit=2)
    dialogue.ask("a"), dialogue.ask("b")
    with pytest.raises(InputError, match="has 2 turns; valid is at most 2; take one back, or begin anew"):
        dialogue.ask("c")
    assert len(scripted.seen) == 2


def test_a_refusal_keeps_the_earlier_grasp_on_show():
    dialogue, _ = talk(None, FIRST, None, SECOND)
    assert (dialogue.grasp, dialogue.before) == (None, None)
    shown = []
    for text in "abcd":
        dialogue.ask(text)
        shown.append([None if g is None else round(g.x, 3) for g in (dialogue.before, dialogue.grasp)])
    assert shown == [[None, None], [None, 0.25], [None, 0.25], [0.25, 0.75]]
    dialogue.undo()
    assert dialogue.grasp.x == pytest.approx(0.25) and dialogue.before is None


def kept(dialogue: Dialogue, path: Path) -> Transcript:
    write_json(path, dialogue.to_json())
    return read_transcript(path)


def test_a_transcript_is_answered_as_it_was(photograph, tmp_path):
    dialogue, scripted = talk(FIRST, None, SECOND, picture=photograph)
    for text in ("Pick it up", "the left end", "more"):
        dialogue.ask(text)
    transcript = kept(dialogue, tmp_path / "t.json")
    again = transcript.replay(Model(scripted))
    assert transcript.first_difference(again) is None
    assert [turn.asked for turn in again.turns] == ["Pick it up", "the left end", "more"]
    assert again.view.workspace == dialogue.view.workspace and scripted.seen[3:] == scripted.seen[:3]
    value = read_json(tmp_path / "t.json")
    keys = ["format", "graspwise", "model", "model_sha256", "picture", "picture_sha256", "workspace", "turns"]
    assert list(value) == keys
    assert (value["model"], value["model_sha256"], value["workspace"]) == ("scripted", None, [0, 0, 100, 50])
    assert list(value["turns"][0]) == ["asked", "answer", "model_text"]
    assert value["turns"][0]["answer"]["grasp_px"]["y"] == pytest.approx(24.5)


@pytest.mark.parametrize(
    ("grasps", "number"),
    [((FIRST, SECOND, FIRST), None), ((SECOND, SECOND), 1), ((FIRST, None), 2), ((FIRST, FIRST), 2),
     ((FIRST, SECOND, SECOND), 3), ((Grasp(x=0.25, y=0.5, theta=0.3, opening=0.21), SECOND), 1)],
)  # fmt: skip
def test_the_first_turn_that_differs_is_named(grasps, number, photograph, tmp_path):
    dialogue, _ = talk(FIRST, SECOND, FIRST, picture=photograph)
    for text in "abc":
        dialogue.ask(text)
    transcript = kept(dialogue, tmp_path / "t.json")
    again = transcript.replay(Model(Scripted(*grasps)))
    assert transcript.first_difference(again) == number
    again.undo()
    assert transcript.first_difference(again) == (number or 3)


def test_a_transcript_keeps_more_turns_than_a_new_dialogue_takes(photograph, tmp_path):
    dialogue, scripted = talk(FIRST, picture=photograph, limit=11)
    for number in range(11):
        dialogue.ask(f"turn {'abcdefghijk'[number]}")
    transcript = kept(dialogue, tmp_path / "t.json")
    assert transcript.first_difference(transcript.replay(Model(scripted))) is None


def test_it_must_be_the_same_picture(photograph, tmp_path):
    dialogue, scripted = talk(FIRST, picture=photograph)
    dialogue.ask("a")
    moved, content = tmp_path / "elsewhere.png", photograph.read_bytes()
    # A camera writes its next picture while we talk.
    Image.new("RGB", (100, 50)).save(photograph)
    transcript = kept(dialogue, tmp_path / "t.json")
    with pytest.raises(InputError, match=r"p\.png: sha256 is \w+; valid is the picture talked about"):
        transcript.replay(Model(scripted))
    photograph.unlink()
    with pytest.raises(InputError, match=r"p\.png: no such file"):
        transcript.replay(Model(scripted))
    moved.write_bytes(content)
    assert transcript.first_difference(transcript.replay(Model(scripted), picture=moved)) is None


def test_nothing_to_keep_is_said(photograph):
    with pytest.raises(InputError, match="nothing has been asked yet; there is no conversation to keep"):
        talk(FIRST, picture=photograph)[0].to_json()
    dialogue, _ = talk(FIRST)
    dialogue.ask("a")
    with pytest.raises(InputError, match="the picture came from no file"):
        dialogue.to_json()


def without(value, *path):
    *way, last = path
    for step in way:
        value = value[step]
    del value[last]


def having(value, found, *path):
    *way, last = path
    for step in way:
        value = value[step]
    value[last] = found


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda v: having(v, 2, "format"), "format: found 2; valid is 1"),
        (lambda v: without(v, "format"), "format: found None"),
        (lambda v: without(v, "picture"), "picture: found nothing; valid is a path"),
        (lambda v: having(v, 7, "picture"), "picture: found 7; valid is a path"),
        (lambda v: having(v, 7, "model_sha256"), "model_sha256: found 7; valid is a sha256 or null"),
        (lambda v: having(v, None, "model"), "model: found None; valid is a name"),
        (lambda v: having(v, [0, 0, 9], "workspace"), "workspace: found .*; valid is four integers"),
        (lambda v: having(v, [0, 0, 9, True], "workspace"), "workspace: found .*; valid is four integers"),
        (lambda v: having(v, "whole", "workspace"), "workspace: found 'whole'; valid is four integers"),
        (lambda v: having(v, {}, "turns"), "turns: found {}; valid is a list of turns"),
        (lambda v: having(v, [], "turns"), "turns: found none; valid is at least one"),
        (lambda v: having(v, "a", "turns", 1), "turn 2: asked: found nothing"),
        (lambda v: having(v, 3, "turns", 1, "asked"), "turn 2: asked: found 3; valid is text"),
        (lambda v: having(v, " ", "turns", 0, "asked"), "turn 1: the instruction is empty"),
        (lambda v: having(v, "x" * 999, "turns", 0, "answer"), r"turn 1: answer: found 'x+\.\.\.; valid is the object"),
        (lambda v: without(v, "turns", 0, "answer", "text"), "turn 1: text: found nothing"),
        (lambda v: without(v, "turns", 1, "model_text"), "turn 2: model_text: found nothing"),
    ],
)
def test_a_damaged_transcript_is_refused_in_one_line(damage, says, photograph, tmp_path):
    dialogue, _ = talk(FIRST, picture=photograph)
    dialogue.ask("a"), dialogue.ask("b")
    value = json.loads(json.dumps(dialogue.to_json()))
    damage(value)
    write_json(tmp_path / "t.json", value)
    with pytest.raises(InputError, match=says) as error:
        read_transcript(tmp_path / "t.json")
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "3", '"format"'])
def test_what_is_no_transcript_is_refused(content, tmp_path):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(InputError, match=r"t\.json: (not valid JSON|format: found None)"):
        read_transcript(tmp_path / "t.json")
    with pytest.raises(InputError, match="no such file"):
        read_transcript(tmp_path / "none.json")


def test_angles_survive_the_file(photograph, tmp_path):
    """A half turn more is the same grasp, written the same."""
    dialogue, _ = talk(Grasp(x=0.5, y=0.5, theta=math.pi / 2, opening=0.1), picture=photograph)
    dialogue.ask("a")
    transcript = kept(dialogue, tmp_path / "t.json")
    again = transcript.replay(Model(Scripted(Grasp(x=0.5, y=0.5, theta=-math.pi / 2, opening=0.1))))
    assert transcript.first_difference(again) is None
