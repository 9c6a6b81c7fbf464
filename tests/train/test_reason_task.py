"""Wishes learned by words alone: what is read, what counts, and that no picture is opened."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from graspwise.answer import SPT
from graspwise.conversation import assistant_turn, text_of, user_turn
from graspwise.data.store import Dataset, WishLabel
from graspwise.model.load import load_model, new_head, new_steered_head
from graspwise.train.reason_task import ReasonTask, said
from graspwise.train.recipe import recipe_named
from graspwise.train.run import add_lora, lora_parameters

ANSWER = f"You want to drink, so here is the {SPT} mug {SPT}."


@pytest.fixture
def model(tiny_checkpoint):
    torch.manual_seed(0)
    model = load_model(str(tiny_checkpoint), merged=False)
    model.card = replace(model.card, answer="reasoned")
    model.head = new_head(model).bfloat16()
    model.steered = new_steered_head(model)
    return model


@pytest.fixture
def wish(dataset_folder):
    things = ({"index": 1, "name": "mug"}, {"index": 2, "name": "hammer"})
    target = {"index": 1, "name": "mug", "part": None, "part_index": None}
    label = WishLabel(
        "object implicit", "thirst", targets=(target,), named=1, refused=False, things=things, objects=None, parts=None
    )
    plain = next(iter(Dataset(dataset_folder)))
    return replace(
        plain, image="nowhere.png", category="mug", wish=label,
        messages=[user_turn("I am thirsty."), assistant_turn(ANSWER)],
    )  # fmt: skip


def test_the_prompt_says_what_is_in_view_and_what_went_before(wish):
    [only] = said(wish, np.random.default_rng(0))
    words, listed = text_of(only).split("\nIn view: ")
    assert words == "I am thirsty." and set(listed.split(", ")) == {"mug", "hammer"}
    before = {"asked": "Hand me the hammer.", "reason": f"Here is the {SPT} hammer {SPT}.", "grasp": None}
    later = replace(
        wish, wish=replace(wish.wish, before=before),
        messages=[user_turn("Hand me the hammer."), assistant_turn("Here."), *wish.messages],
    )  # fmt: skip
    first, answer, last = said(later, np.random.default_rng(0))
    assert text_of(first).startswith("Hand me the hammer.\nIn view: ")
    assert (text_of(answer), text_of(last)) == (before["reason"], "I am thirsty.")
    assert all(part["type"] == "text" for turn in (first, answer, last) for part in turn["content"])


def test_the_name_of_the_target_weighs_more(model, dataset_folder, wish):
    task = ReasonTask(
        model, Dataset(dataset_folder), training=[wish], validation=[], seed=0, trainable={}, name_weight=4.0
    )
    [(tokens, weights)] = task.row(wish, np.random.default_rng(0)).answers
    spt = [index for index, token in enumerate(tokens) if token == model.spt[1]]
    assert len(spt) == 2
    assert weights[spt[0] + 1 : spt[1]] == [4.0] * (spt[1] - spt[0] - 1)
    assert {w for i, w in enumerate(weights) if not spt[0] < i < spt[1]} == {1.0}


def test_reasons_are_learned_without_opening_a_picture(model, dataset_folder, wish):
    model.adapter = add_lora(model, recipe_named("tiny"))
    trainable = lora_parameters(model)
    plain = next(iter(Dataset(dataset_folder)))
    task = ReasonTask(
        model, Dataset(dataset_folder), training=[plain, wish], validation=[], seed=0, trainable=trainable,
        name_weight=4.0,
    )  # fmt: skip
    assert list(task.training) == [wish]
    optimizer = torch.optim.Adam(task.parameters().values(), lr=1e-2)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = task.loss(task.prepare(range(2)))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.95 * losses[0]


def test_tokens_that_nobody_trained_stand_back_for_the_mark(model):
    assert not model.like_spt[[model.spt[1], model.end_of_turn]].any()
    rows = model.vlm.get_output_embeddings().weight
    other = next(i for i in range(len(rows)) if i not in (model.spt[1], model.end_of_turn))
    with torch.no_grad():
        rows[other] = rows[model.spt[1]]
    del model.like_spt
    assert model.like_spt[other] and not model.like_spt[model.spt[1]]
