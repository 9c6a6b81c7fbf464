"""Tokens compared with the embeddings of words."""

import pytest
import torch

from graspwise.model.load import load_model
from graspwise.train.names import NameTable, word_tokens

NAMES = ("remote control", "mug", "sunglasses")


@pytest.fixture(scope="module")
def table(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint))
    embeddings = model.vlm.model.language_model.embed_tokens.weight.detach()
    return NameTable.build(NAMES, background=["black mug on a table"], tokenizer=model.tokenizer, embeddings=embeddings)


def test_a_token_that_points_at_a_name_is_nearest_to_it(table):
    for index in range(len(NAMES)):
        token = table.center + 3 * table.directions[index]
        whole, cells = table.logits(torch.stack([token, table.center, token])[None] + 1e-3)
        assert whole.argmax() == cells.argmax() == index


def test_words_are_tokenised_as_inside_a_sentence(tiny_checkpoint):
    tokenizer = load_model(str(tiny_checkpoint)).tokenizer
    inside = tokenizer("a mug", add_special_tokens=False)["input_ids"]
    assert inside[-len(word_tokens("mug", tokenizer)) :] == word_tokens("mug", tokenizer)
