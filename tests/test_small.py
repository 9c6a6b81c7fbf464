"""The model that ships: it loads, answers on photographs of no data set, and always the same."""

import math
from collections import Counter
from pathlib import Path

import pytest

import graspwise
from graspwise.answer import REASONING_LIMIT, render_grasp
from graspwise.conversation import INSTRUCTION_LIMIT, assistant_turn, user_turn
from graspwise.grasp import Grasp, angle_difference
from graspwise.model.weights import PUBLISHED, published_cards

EXAMPLES = Path(__file__).parents[1] / "examples"
LIGHTER = {"box": (236, 268, 560, 480), "inside": (305, 305, 370, 465), "theta": 0.0}
PENCIL = {"box": (36, 100, 338, 276), "inside": (50, 80, 345, 260), "theta": math.radians(60)}


@pytest.fixture(scope="module")
def small():
    return graspwise.load("small")


@pytest.mark.parametrize("thing", [LIGHTER, PENCIL])
def test_grasps_things_on_a_desk_across_their_narrow_side(small, thing):
    answer = small.look(EXAMPLES / "desk.jpg", workspace=thing["box"]).ask("Pick up the object")
    x, y = answer.grasp.pixel(image_size=answer.image_size)
    x0, y0, x1, y1 = thing["inside"]
    assert x0 <= x <= x1 and y0 <= y <= y1
    assert angle_difference(answer.grasp.theta, thing["theta"]) < math.radians(30)
    assert 20 < answer.grasp.opening * 640 < 160


def test_grasps_the_cup_and_says_why(small):
    answer = small.look(EXAMPLES / "coffee.jpg").ask("Pick up the cup")
    x, y = answer.grasp.pixel(image_size=answer.image_size)
    assert 160 <= x <= 430 and 10 <= y <= 310
    assert 5 <= len(answer.reasoning.split()) <= 40
    assert answer.mode == "grounded"
    assert len(answer.grasps) >= 2


def test_same_picture_same_answer(small):
    first, second = (small.look(EXAMPLES / "desk.jpg").ask("Pick up the object") for _ in range(2))
    assert first.text == second.text
    assert graspwise.load("small").look(EXAMPLES / "desk.jpg").ask("Pick up the object").text == first.text


def test_eight_long_turns_fit(small):
    """With the longest requests and answers, and what hints and digits may take besides."""
    model = small.look(EXAMPLES / "desk.jpg").responder.model
    asked = ("Pick up the mug by its handle, and mind the hot coffee that is still in it. " * 30)[:INSTRUCTION_LIMIT]
    answer = render_grasp(Grasp(x=0.5, y=0.5, theta=0.1), answer_format="reasoned", reasoning=asked[:REASONING_LIMIT])
    talk = [user_turn(asked)]
    for _ in range(7):
        talk += [assistant_turn(answer), user_turn(asked, image=False)]
    assert len(model.prompt_ids(talk)) + 1000 < model.context == 8192


def test_card_names_its_training_objects_and_fits_the_size_limit():
    card = published_cards()["small"]
    # Photographs by their object, simulated scenes of `train` objects by their number.
    sources = Counter(name.partition(":")[0] for name in card["trained_on"])
    assert set(sources) == {"cornell", "sim"} and min(sources.values()) > 150
    total = sum(path.stat().st_size for path in (PUBLISHED / "small").rglob("*") if path.is_file())
    assert total <= 25 * 1024 * 1024
