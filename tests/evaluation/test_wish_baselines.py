"""Who is asked: models by picture and words, baselines by what they are told beside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wish_drawn import Says, draw_scene, grasp_on

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import read_scene
from graspwise.errors import InputError
from graspwise.evaluation import wish_baselines
from graspwise.evaluation.wish_baselines import (
    LEAST_SIDE,
    CropAsker,
    LabelsAsker,
    Likelihood,
    ModelAsker,
    box_around,
    check_peer,
    first_target,
    open_asker,
)
from graspwise.evaluation.wish_questions import NOTHING, Question, Stage
from graspwise.grasp import Grasp
from graspwise.predict import Model


@pytest.fixture
def stage(tmp_path):
    return Stage(read_scene(draw_scene(tmp_path / "000000", "mug", "screwdriver", "banana")))


def question(*targets: Target, kind: str = "object implicit") -> Question:
    return Question("seen", "000000", 3, kind, "I am thirsty.", "f", targets)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_crop_is_a_square_in_the_picture_around_its_thing(data):
    height, width = data.draw(st.integers(40, 300)), data.draw(st.integers(40, 300))
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0, width - 1)), data.draw(st.integers(y0, height - 1))
    mask = np.zeros((height, width), bool)
    mask[y0 : y1 + 1, x0 : x1 + 1] = True
    left, top, right, bottom = box_around(mask)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    assert right - left == bottom - top >= min(LEAST_SIDE, width, height)
    side = max(x1 - x0, y1 - y0) + 1
    if side <= min(width, height):
        assert left <= x0 and x1 < right and top <= y0 and y1 < bottom


def test_a_model_gets_the_whole_picture_and_the_words(stage):
    says = Says(grasp_on(1), grasp_on(2), target="mug")
    said = ModelAsker(Model(says)).ask(stage, question(Target(2, "screwdriver", None)))
    assert says.asked == ["I am thirsty."]
    assert np.array_equal(says.seen[0], stage.picture.rgb)
    assert [(g.x, g.y) for g in said.grasps] == [pytest.approx((g.x, g.y)) for g in (grasp_on(1), grasp_on(2))]
    assert (said.target, said.refused, said.reasoning) == ("mug", False, "Why.")


def test_a_refusal_comes_back_as_one(stage):
    said = ModelAsker(Model(Says(refused=True, text="Nothing here serves."))).ask(stage, question())
    assert (said.grasps, said.refused, said.reasoning) == ((), True, "Nothing here serves.")


def test_a_crop_shows_the_thing_and_its_grasps_come_back_into_the_picture(stage, monkeypatch):
    monkeypatch.setattr(wish_baselines, "LEAST_SIDE", 24)
    # In a crop twice as wide as the thing: its corner, then its middle.
    says = Says(Grasp(x=0.02, y=0.02, theta=0.0, opening=0.2), Grasp(x=0.5, y=0.5, theta=1.57, opening=0.25))
    said = CropAsker(Model(says), first_target, note="n").ask(stage, question(Target(3, "banana", None)))
    colours = {tuple(colour) for colour in says.seen[0].reshape(-1, 3).tolist()}
    assert (120, 30, 90) in colours and (40, 30, 90) not in colours
    # What is on the mask comes first.
    assert said.grasps[0].pixel(image_size=(96, 96)) == pytest.approx((23.5, 69.5))
    assert said.grasps[0].opening * 96 == pytest.approx(0.25 * 48, abs=0.5)
    assert (said.target, said.refused) == ("banana", False)


def test_the_labels_are_right_by_definition_and_refuse_where_there_is_none(stage):
    said = LabelsAsker().ask(stage, question(Target(2, "screwdriver", "body")))
    assert len(said.grasps) == 1 and said.target == "screwdriver"
    assert said.grasps[0].x == pytest.approx(grasp_on(2, "body").x, abs=1e-5)
    assert LabelsAsker().ask(stage, question(kind=NOTHING)).refused


class Chooses:
    """Takes the second name and keeps what it was told."""

    note = "the second"

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[str, ...]]] = []

    def choose(self, wish, names):
        self.told.append((wish, tuple(names)))
        return 1


def test_name_first_is_told_the_names_in_view_and_the_wish(stage, monkeypatch):
    chooses, says = Chooses(), Says(Grasp(x=0.5, y=0.5, theta=0.0, opening=0.1))
    monkeypatch.setattr(wish_baselines, "open_chooser", lambda *, say: chooses)
    monkeypatch.setattr(wish_baselines, "load", lambda name, *, say: Model(says))
    asker = open_asker("name-first", grconvnet="run", say=print)
    assert asker.ask(stage, question(Target(1, "mug", None))).target == "screwdriver"
    assert chooses.told == [("I am thirsty.", ("mug", "screwdriver", "banana"))]
    assert "which favours it; the second" in asker.note
    told = open_asker("oracle+grconvnet", grconvnet="run", say=print)
    assert told.ask(stage, question(Target(3, "banana", None))).target == "banana"
    # To grasp anything at all is wrong there, and it does so.
    assert told.ask(stage, question(kind=NOTHING)).target == "mug"
    assert open_asker("grconvnet", grconvnet="run", say=print).ask(stage, question()).target is None


def test_without_the_encoder_the_language_model_chooses(monkeypatch):
    def cannot(*, say):
        raise InputError("the weight package could not be downloaded")

    said = []
    monkeypatch.setattr(wish_baselines, "MiniLm", cannot)
    monkeypatch.setattr(wish_baselines, "Likelihood", lambda *, say: "the language model")
    assert wish_baselines.open_chooser(say=said.append) == "the language model"
    assert said == ["name-first: the weight package could not be downloaded; the language model chooses instead"]


def test_the_likelihood_of_a_name_is_the_sum_over_its_tokens(tiny_checkpoint, monkeypatch):
    import torch

    from graspwise.model import load

    real = load.load_model
    monkeypatch.setattr(load, "load_model", lambda name, *, say: real(str(tiny_checkpoint)))
    chooser = Likelihood(say=print)
    tokenizer, llava = chooser.model.tokenizer, chooser.model.llava
    start, name = (tokenizer(t, add_special_tokens=False)["input_ids"] for t in ("I am thirsty.", " red mug"))
    wanted = 0.0
    for place, token in enumerate(name):
        with torch.inference_mode():
            logits = llava(input_ids=torch.tensor([[*start, *name[:place]]])).logits[0, -1].float()
        wanted += float(logits.log_softmax(-1)[token])
    assert chooser.log_likelihood("I am thirsty.", "red mug") == pytest.approx(wanted, abs=0.1)
    assert chooser.choose("I am thirsty.", ["mug"]) == 0


def test_what_is_no_grconvnet_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no GR-ConvNet; valid is a run folder"):
        check_peer(str(tmp_path))
