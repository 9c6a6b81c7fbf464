"""Who is asked: models by picture and words, baselines by what they are told beside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wish_drawn import Says, draw_scene, grasp_on

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import read_scene
from graspwise.errors import InputError
from graspwise.evaluation import wish_baselines
from graspwise.evaluation.wish_baselines import (
    LEAST_PART,
    PEAKS,
    CropAsker,
    LabelsAsker,
    ModelAsker,
    box_around,
    check_peer,
    first_target,
    learned_from,
    open_asker,
    open_peer,
    reading_of,
)
from graspwise.evaluation.wish_questions import NOTHING, Question, Stage
from graspwise.files import read_json, write_json
from graspwise.grasp import Grasp
from graspwise.model.grconvnet import GrConvNet, PeerCard, save_grconvnet
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
    assert right - left == bottom - top >= round(LEAST_PART * min(width, height))
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


def test_a_crop_shows_the_thing_and_its_grasps_come_back_into_the_picture(stage):
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
    monkeypatch.setattr(wish_baselines, "open_peer", lambda folder: (Model(says), "trained on 7 samples"))
    asker = open_asker("name-first", grconvnet="run", say=print)
    assert asker.ask(stage, question(Target(1, "mug", None))).target == "screwdriver"
    assert chooses.told == [("I am thirsty.", ("mug", "screwdriver", "banana"))]
    assert "which favours it; the second" in asker.note and asker.note.endswith("; trained on 7 samples")
    told = open_asker("oracle+grconvnet", grconvnet="run", say=print)
    assert told.ask(stage, question(Target(3, "banana", None))).target == "banana"
    # To grasp anything at all is wrong there, and it does so.
    assert told.ask(stage, question(kind=NOTHING)).target == "mug"
    whole = open_asker("grconvnet", grconvnet="run", say=print)
    assert whole.ask(stage, question()).target is None
    assert "it reads no wish; trained on 7 samples" in whole.note


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a GR-ConvNet of random weights."""
    torch.manual_seed(0)
    run = tmp_path_factory.mktemp("run")
    card = PeerCard(
        image_size=64, channels=3, width=4, recipe="paper", trained_on=("sim:train/mug-01", "sim:train/mug-02")
    )
    save_grconvnet(run / "model", GrConvNet(channels=3, width=4), card)
    write_json(run / "config.json", {"model": "grconvnet", "recipe": {"stage": {"samples": 20_000}}})
    return run


def test_a_peer_says_what_it_has_learned_from(peer, tmp_path):
    model, learned = open_peer(str(peer))
    assert model.name == "grconvnet"
    assert learned == "trained on 20000 samples of 2 objects of sim, recipe paper"
    # Without the run's configuration nobody knows the budget; another's is not taken for it.
    card = read_json(peer / "model" / "graspwise.json")
    write_json(tmp_path / "model" / "graspwise.json", card)
    write_json(tmp_path / "config.json", {"model": "small", "recipe": {"stage": {"samples": 5}}})
    assert learned_from(tmp_path / "model").startswith("trained on an unknown number of samples of 2 objects")
    (tmp_path / "config.json").unlink()
    assert learned_from(tmp_path / "model").startswith("trained on an unknown number")


def test_a_peer_gives_more_grasps_than_three(peer, monkeypatch):
    counts = []

    def read(maps, *, count):
        counts.append(count)
        return [[Grasp(x=0.5, y=0.5, theta=0.0, opening=0.1)] * count for _ in maps]

    monkeypatch.setattr("graspwise.model.grconvnet.read_grasps", read)
    model, _ = open_peer(str(peer))
    assert len(model.look(np.zeros((64, 64, 3), np.uint8)).ask("x").grasps) == PEAKS > 3
    assert counts == [PEAKS]


def test_what_is_no_grconvnet_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no GR-ConvNet; valid is a run folder"):
        check_peer(str(tmp_path))


def test_one_part_of_an_answer_may_be_read(stage, tiny_checkpoint):
    assert reading_of("runs/a+text") == ("runs/a", "text") and reading_of("small+map") == ("small", "map")
    assert reading_of("oracle+grconvnet") == ("oracle+grconvnet", "") and reading_of("small") == ("small", "")
    likely, unlikely = replace(grasp_on(1), quality=0.9), replace(grasp_on(2), quality=0.4)
    model = Model(Says(replace(grasp_on(3), quality=None), unlikely, likely))
    found = [
        [grasp.quality for grasp in ModelAsker(model, by_map=by_map).ask(stage, question()).grasps]
        for by_map in (False, True)
    ]
    assert found == [[None, 0.4, 0.9], [0.9, 0.4, None]]
    text = open_asker(f"{tiny_checkpoint}+text", grconvnet="", say=print)
    assert isinstance(text, ModelAsker) and not text.by_map and "digits alone" in text.note
    assert open_asker(f"{tiny_checkpoint}+map", grconvnet="", say=print).by_map
    with pytest.raises(InputError, match=r"blob\+text; valid before \+text is a model that reasons"):
        open_asker("blob+text", grconvnet="", say=print)
