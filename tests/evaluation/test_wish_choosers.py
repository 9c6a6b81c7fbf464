"""Who picks the name that a wish is about: the sentence encoder, or without it the language model."""

import pytest

from graspwise.errors import InputError
from graspwise.evaluation import wish_choosers
from graspwise.evaluation.wish_choosers import Likelihood


def test_without_the_encoder_the_language_model_chooses(monkeypatch):
    def cannot(*, say):
        raise InputError("the weight package could not be downloaded")

    said = []
    monkeypatch.setattr(wish_choosers, "MiniLm", cannot)
    monkeypatch.setattr(wish_choosers, "Likelihood", lambda *, say: "the language model")
    assert wish_choosers.open_chooser(say=said.append) == "the language model"
    assert said == ["name-first: the weight package could not be downloaded; the language model chooses instead"]


def test_the_likelihood_of_a_name_is_the_sum_over_its_tokens(tiny_checkpoint, monkeypatch):
    import torch

    from graspwise.model import load

    real = load.load_model
    monkeypatch.setattr(load, "load_model", lambda name, *, say: real(str(tiny_checkpoint)))
    chooser = Likelihood(say=print)
    tokenizer, llava = chooser.model.tokenizer, chooser.model.vlm
    start, name = (tokenizer(t, add_special_tokens=False)["input_ids"] for t in ("I am thirsty.", " red mug"))
    wanted = 0.0
    for place, token in enumerate(name):
        with torch.inference_mode():
            logits = llava(input_ids=torch.tensor([[*start, *name[:place]]])).logits[0, -1].float()
        wanted += float(logits.log_softmax(-1)[token])
    assert chooser.log_likelihood("I am thirsty.", "red mug") == pytest.approx(wanted, abs=0.1)
    assert chooser.choose("I am thirsty.", ["mug"]) == 0
