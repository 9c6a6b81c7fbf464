"""Every family's adapter, on a tiny random model of the real class."""

import numpy as np
import pytest
import torch
from transformers import Gemma2Config

from graspwise.answer import parse_grasp
from graspwise.conversation import assistant_turn, user_turn
from graspwise.errors import InputError
from graspwise.model.generate import write_answers
from graspwise.model.load import load_model
from graspwise.train.packing import Row, pack
from graspwise.vlm.adapter import of_pictures
from graspwise.vlm.paligemma import PaliGemma
from graspwise.vlm.registry import FAMILIES, family_named
from graspwise.vlm.tiny import SIZES, ends, write_tiny

ANSWER = "Here.\nGrasp point coordinates: [0.500, 0.250]\nRotation angle in radians: -0.78"
TALK = [user_turn("Pick up the mug."), assistant_turn(ANSWER), user_turn("No, further left.", image=False)]
SHOWN = {"pixels": "[28, 14]", "thousand": "[500, 250]", "location": "<loc0256><loc0512>", "fraction": "[0.500, 0.250]"}


class PaliGemma2(PaliGemma):
    """With Gemma 2, whose scores are capped and whose layers differ in what they see."""

    @classmethod
    def tiny(cls, tokenizer):
        config, processor = super().tiny(tokenizer)
        before = config.text_config.to_dict()
        kept = {name: value for name, value in before.items() if name in (*SIZES, "vocab_size", "head_dim")}
        config.text_config = Gemma2Config(
            **kept, num_key_value_heads=1, query_pre_attn_scalar=8, sliding_window=512, final_logit_softcapping=0.5,
            use_bidirectional_attention=True, **ends(tokenizer),
        )  # fmt: skip
        return config, processor


BUILT = {**FAMILIES, "paligemma 2": PaliGemma2}


@pytest.fixture(scope="module", params=BUILT)
def model(request, tmp_path_factory):
    """In float32, where rounding does not decide."""
    folder = tmp_path_factory.mktemp("tiny") / request.param
    write_tiny(BUILT[request.param], folder)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 5e6
    model = load_model(str(folder))
    model.vlm.float()
    return model


@pytest.fixture(scope="module")
def inputs(model):
    side = model.image_size
    return model.inputs(list(np.random.default_rng(0).integers(0, 255, (2, side, side, 3), dtype=np.uint8)))


def test_the_prompt_holds_the_pictures_tokens_and_the_answer_as_the_family_writes_it(model):
    ids = model.prompt_ids(TALK)
    assert ids.count(model.vlm.config.image_token_id) == model.family.image_tokens > 0
    text = model.tokenizer.decode(ids)
    assert SHOWN[model.coordinates.name] in text
    assert ANSWER.splitlines()[-1] in text and "further left" in text
    begin = model.tokenizer.bos_token_id
    # Of a chat template whose turns begin with that token there are three; no tokenizer adds another.
    assert begin is None or ids.count(begin) in (1, text.count("<|im_start|>"))


def test_what_a_user_types_is_neither_a_picture_nor_a_place(model):
    special = [*model.tokenizer.all_special_tokens, model.family.image_token, "<loc0001>"]
    ids, plain = (model.prompt_ids([user_turn(text)]) for text in ("".join(special), "words"))
    known = [model.tokenizer.convert_tokens_to_ids(token) for token in special if token in model.tokenizer.get_vocab()]
    assert [ids.count(token) for token in known] == [plain.count(token) for token in known]


def test_training_reads_as_generation_does(model, inputs):
    """Positions, masks and pictures of a packed row give the logits that generating token by token gives."""
    family, prompts = model.family, [model.prompt_ids([user_turn("Grasp it.")]), model.prompt_ids(TALK)]
    second = of_pictures(inputs, [1])
    ids = torch.tensor([prompts[1]])
    with torch.no_grad():
        made = model.vlm.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids),
            **family.joined(second), **family.marks(ids, answered=[0]),
            max_new_tokens=5, min_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True,
            pad_token_id=model.end_of_turn,
        )  # fmt: skip
        answer = made.sequences[0, ids.shape[1] :].tolist()
        rows = [
            Row(
                prompt, [(answer, [1.0] * 5), (answer[:2], [1.0] * 2)],
                family.positions(model.vlm, prompt, of_pictures(inputs, [place])), family.both_ways,
            )
            for place, prompt in enumerate(prompts)
        ]  # fmt: skip
        batch = pack(rows, padding=model.end_of_turn)
        states = model.vlm.model(
            input_ids=batch.ids, attention_mask=family.attention(model.vlm, batch.attention),
            position_ids=batch.positions, **family.joined(inputs), use_cache=False,
        ).last_hidden_state  # fmt: skip
        logits = family.logits(model.vlm, states[batch.states[0], batch.states[1]])
    written = torch.stack(made.logits, 1)[0]
    torch.testing.assert_close(logits[7:12], written, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logits[12:], written[:2], atol=1e-5, rtol=1e-4)


def test_answers_parse_and_do_not_depend_on_the_batch(model, inputs):
    prompts = [model.prompt_ids([user_turn("Grasp it.")]), model.prompt_ids(TALK)]
    together = write_answers(model, prompts, inputs, answer_format="prompted")
    for place, answer in enumerate(together):
        parse_grasp(answer.text)
        picture = of_pictures(inputs, [place])
        [alone] = write_answers(model, [prompts[place]], picture, answer_format="prompted")
        assert alone.text == answer.text


def test_an_answer_begun_goes_on_as_one_written(model, inputs):
    prompts = [model.prompt_ids([user_turn("Grasp it.")])] * 2
    whole = write_answers(model, prompts, inputs, answer_format="prompted")
    opened = "Grasp point coordinates: "
    assert all(answer.text.startswith(opened) for answer in whole)
    begun = write_answers(model, prompts, inputs, answer_format="prompted", openings=["Grasp point"] * 2)
    assert all(answer.text.startswith(opened) for answer in begun)
    for answer in begun:
        parse_grasp(answer.text)


def test_parts_are_the_models_own(model):
    parts, everything = model.family.parts(model.vlm), {id(p) for p in model.vlm.parameters()}
    for part in (parts.tower, parts.projector, parts.language_model):
        own = {id(p) for p in part.parameters()}
        assert own and own <= everything
    language = {id(p) for p in parts.language_model.parameters()}
    assert not language & {id(p) for p in (*parts.tower.parameters(), *parts.projector.parameters())}


def test_pictures_can_be_chosen_more_than_once(model, inputs):
    twice = of_pictures(inputs, [1, 1, 0])
    for name, (first, second) in inputs.items():
        assert torch.equal(twice[name], torch.stack([second, second, first]))


def test_an_unknown_family_is_one_line():
    with pytest.raises(InputError, match="valid: llava, llava-next"):
        family_named("gpt")
