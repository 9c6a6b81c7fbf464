"""[SPT]: its spelling, the state between two of them, and answers that name a target or refuse."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graspwise.answer import SPT, target_of
from graspwise.conversation import assistant_turn, user_turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model.grasp_map import GraspMapHead, best_grasps
from graspwise.model.grasp_model import ELSEWHERE
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.load import load_model, new_head, new_steered_head
from graspwise.model.save import save_parts
from graspwise.model.scene_names import SceneNames
from graspwise.model.steering import SteeredHead, between, mean_state, spelled, spt_token, unspelled
from graspwise.picture import Picture

WORDS = st.text("abc ,.", min_size=1).map(lambda text: " ".join(text.split())).filter(bool)


@given(before=WORDS, name=WORDS, after=WORDS)
def test_spelling_turns_back(before, name, after):
    text = f"{before} {SPT} {name} {SPT} {after}"
    assert unspelled(spelled(text, "<mark>"), "<mark>") == text
    assert SPT not in spelled(text, "<mark>")


@pytest.mark.parametrize(
    ("ids", "span"),
    [([1, 9, 2, 3, 9, 4], (2, 4)), ([9, 1, 9], (1, 2)), ([9, 9, 1], None), ([1, 9, 2], None), ([], None)],
)
def test_what_stands_between_the_first_two(ids, span):
    assert between(ids, 9) == span


def test_mean_state_is_that_of_the_name_alone():
    states = torch.arange(12.0).view(6, 2)
    torch.testing.assert_close(mean_state(states, [1, 9, 2, 3, 9, 4], 9), states[2:4].mean(0))
    assert mean_state(states, [1, 2, 3, 4, 5, 6], 9) is None


def test_a_steered_head_begins_as_the_dense_head():
    torch.manual_seed(0)
    head, steered = GraspMapHead(16), SteeredHead(16, 8)
    steered.start_from(head)
    dense, states = torch.randn(2, 16, 4, 4), torch.randn(2, 8)
    maps, place = steered(dense, states)
    assert (place > 2).all(), "the target may be anywhere"
    torch.testing.assert_close(maps[:, 1:], head(dense)[:, 1:])
    torch.testing.assert_close(maps[:, 0], head(dense)[:, 0], atol=0.05, rtol=0)
    maps.sum().backward()
    assert steered.maps.film.weight.grad.abs().max() > 0
    assert steered.query.weight.grad.abs().max() > 0


def test_a_grasp_counts_less_where_the_target_is_not():
    torch.manual_seed(0)
    steered = SteeredHead(16, 8)
    torch.nn.init.normal_(steered.query.weight)
    dense, states = torch.randn(2, 16, 4, 4), torch.randn(2, 8)
    maps, place = steered(dense, states)
    free = steered.maps(dense, steered.mlp(states))
    lost = free[:, 0] - maps[:, 0]
    assert (lost > 0).all()
    # The surer the target is elsewhere, the more is lost.
    assert (place.flatten().argsort() == lost.flatten().argsort(descending=True)).all()


@pytest.fixture
def steered(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint))
    model.card = replace(model.card, answer="reasoned")
    torch.manual_seed(0)
    model.head = new_head(model).bfloat16()
    model.steered = new_steered_head(model).bfloat16()
    torch.nn.init.normal_(model.steered.maps.film.weight)
    return model


def test_steered_parts_come_back_from_their_folder(steered, tiny_checkpoint, tmp_path):
    save_parts(tmp_path / "model", steered)
    found = load_model(str(tmp_path / "model"))
    for name, value in steered.steered.state_dict().items():
        torch.testing.assert_close(found.steered.state_dict()[name], value)


PICTURES = [Picture(rgb) for rgb in np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)]


def test_answers_name_a_target_or_refuse(steered):
    """A random model writes anything that the grammar lets it: numbers come with a target, a refusal without both."""
    answers = LlavaResponder("tiny", steered, trust=1.0).respond(PICTURES, [[user_turn("I am thirsty.")]] * 2)
    for answer in answers:
        assert answer.refused == (SPT not in answer.text) == (answer.grasp is None)
        assert answer.refused or answer.target


def test_the_target_decides_the_grasp(steered):
    """After a reason that names a target, the digits are those of the steered maps of that target's state."""
    responder = LlavaResponder("tiny", steered, trust=8.0)
    found = []
    for name in ("mug", "hammer"):
        reasons = [f"Here is the {SPT} {name} {SPT}."] * 2
        answers = responder.respond(PICTURES, [[user_turn("Pick it up.")]] * 2, reasonings=reasons)
        assert [answer.target for answer in answers] == [name, name]
        assert all(SPT not in answer.reasoning for answer in answers)
        found.append([(answer.grasp.x, answer.grasp.y) for answer in answers])
    assert found[0] != found[1]


def test_without_trust_the_ranked_grasps_are_still_the_targets(steered):
    responder = LlavaResponder("tiny", steered, trust=0.0)
    others = []
    for name in ("mug", "hammer"):
        reasons = [f"{SPT} {name} {SPT} it is."] * 2
        answers = responder.respond(PICTURES, [[user_turn("Pick it up.")]] * 2, reasonings=reasons)
        others.append([(g.x, g.y) for g in answers[0].others])
    assert others[0] != others[1]


def test_an_opening_that_no_answer_has_is_an_error(steered):
    with pytest.raises(ValueError, match="an opening that no answer has"):
        LlavaResponder("tiny", steered).respond(PICTURES, [[user_turn("Pick it up.")]] * 2, reasonings=["[0.5]", "9"])


def test_a_steered_model_of_bare_answers_is_as_any_other(steered):
    steered.card = replace(steered.card, answer="bare")
    assert not steered.names_target
    answer = LlavaResponder("tiny", steered).respond(PICTURES[:1], [[user_turn("Pick it up.")]])[0]
    assert (answer.refused, answer.grasp is None) == (False, False)


def test_a_tokenizer_without_a_spare_token_is_refused(steered, monkeypatch):
    assert spt_token(steered.tokenizer) is not None
    monkeypatch.setattr("graspwise.model.grasp_model.spt_token", lambda tokenizer: None)
    with pytest.raises(InputError, match="spare token"):
        _ = steered.spt


def test_a_wish_cannot_spell_the_token(steered):
    spelling, spt = steered.spt
    ids = steered.prompt_ids([user_turn(f"Take {spelling} this {spelling} one.")])
    assert spt not in ids


def test_a_later_answers_target_is_its_own(steered):
    """The state that steers is that of the answer's own two [SPT]; those of an earlier answer stay in the prompt."""
    earlier = assistant_turn(f"Here is the {SPT} mug {SPT}.\n[0.500, 0.250], -0.50")
    talk = [user_turn("Pick it up."), earlier, user_turn("Rather the hammer.", image=False)]
    reason = f"Here is the {SPT} hammer {SPT}."
    responder = LlavaResponder("tiny", steered, trust=0.0)
    (written,), _ = responder.write(PICTURES[:1], [talk], constrained=True, openings=[f"{reason}\n"])
    assert target_of(written.text)[1] == "hammer"
    prompt = responder.prompt(talk, names=[], in_view=[], proposals=[], changed={})
    ids = [*prompt, *steered.tokenizer(spelled(reason, steered.spt[0]), add_special_tokens=False)["input_ids"]]
    marks = [index for index, token in enumerate(ids) if token == steered.spt[1]]
    assert len(marks) == 4
    with torch.inference_mode():
        values = steered.pixel_values([PICTURES[0].rgb])
        states = steered.vlm.model(input_ids=torch.tensor([ids]), pixel_values=values).last_hidden_state[0].float()
    torch.testing.assert_close(written.state, states[marks[2] + 1 : marks[3]].mean(0), atol=0.05, rtol=0.05)
    assert (written.state - states[marks[0] + 1 : marks[1]].mean(0)).abs().max() > 0.2


def test_maps_of_one_picture_follow_its_own_views(steered):
    dense = steered.look(steered.pixel_values([p.rgb for p in PICTURES]))
    states = torch.randn(2, steered.vlm.config.text_config.hidden_size)
    both = steered.steered_maps(dense, states)
    one = steered.steered_maps(dense[1::2], states[1:])
    torch.testing.assert_close(both[1:], one, atol=0.05, rtol=0.05)
    assert isinstance(best_grasps(both, count=1)[0][0], Grasp)


def test_grasps_on_what_is_named_are_better(steered):
    dense = steered.look(steered.pixel_values([PICTURES[0].rgb]))
    state = torch.randn(1, steered.vlm.config.text_config.hidden_size)
    plain = steered.steered_maps(dense, state, targets=["mug"])
    steered.scene_names = SceneNames(steered.vlm.config.vision_config.map_channels, ["mug", "hammer"]).bfloat16()
    try:
        assert steered.steered_maps(dense, state, targets=["spoon"]).equal(plain)
        assert steered.steered_maps(dense, state).equal(plain)
        with torch.inference_mode():
            likely = steered.scene_names.likely(dense)[0, 0]
        weighed = steered.steered_maps(dense, state, targets=["red mug"])
        expected = plain[:, 0].sigmoid() * (likely + ELSEWHERE) / (1 + ELSEWHERE)
        torch.testing.assert_close(weighed[:, 0].sigmoid(), expected, atol=1e-4, rtol=1e-3)
        assert weighed[:, 1:].equal(plain[:, 1:])
    finally:
        steered.scene_names = None
