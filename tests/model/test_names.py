"""Naming by nearest word embedding."""

import pytest
import torch

from graspwise.model.load import load_model
from graspwise.model.names import NameTable, word_tokens

NAMES = ("remote control", "mug", "sunglasses")


@pytest.fixture(scope="module")
def table(tiny_checkpoint):
    model = load_model(str(tiny_checkpoint))
    embeddings = model.llava.model.language_model.embed_tokens.weight.detach()
    return NameTable.build(NAMES, background=["black mug on a table"], tokenizer=model.tokenizer, embeddings=embeddings)


def test_a_token_that_points_at_a_name_is_called_that(table):
    for index, name in enumerate(NAMES):
        token = table.center + 3 * table.directions[index]
        tokens = torch.stack([token, table.center, table.center])[None] + 1e-3
        assert table.nearest(tokens, count=2)[0][0] == name


def test_count_is_at_most_the_names(table):
    tokens = torch.randn(2, 4, len(table.center))
    assert [len(listed) for listed in table.nearest(tokens, count=9)] == [3, 3]
    assert len(set(table.nearest(tokens, count=3)[0])) == 3


def test_table_survives_saving(table, tmp_path):
    table.save(tmp_path / "names.safetensors")
    again = NameTable.load(tmp_path / "names.safetensors")
    assert again.names == NAMES
    torch.testing.assert_close(again.directions, table.directions, atol=1e-2, rtol=1e-2)


def test_words_are_tokenised_as_inside_a_sentence(tiny_checkpoint):
    tokenizer = load_model(str(tiny_checkpoint)).tokenizer
    inside = tokenizer("a mug", add_special_tokens=False)["input_ids"]
    assert inside[-len(word_tokens("mug", tokenizer)) :] == word_tokens("mug", tokenizer)
