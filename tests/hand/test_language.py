"""A hand language model on tiny random weights: conversations as tokens, the grammar, other language models, files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hand_drawn import club, holding
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from graspwise.errors import InputError
from graspwise.hand.causal import load_causal
from graspwise.hand.cloud import Cloud, cloud_of
from graspwise.hand.language import GRASP, OBJECT, HandTalker, TalkerCard, load_talker, save_talker
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.tokens import HandTokens
from graspwise.hand.writing import Grammar, Question, answer_ids, describe, write, write_all

PLAIN_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] + '\\n' + m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_tokens(**options: object) -> HandTokens:
    torch.manual_seed(1)
    sizes = {"number": 8, "width": 8, "features": 16, "hidden": 16, "probes": 8}
    tokens = HandTokens(load_open_hand(), **{**sizes, **options})
    for level in tokens.steps:
        level.codebook.codes.normal_()
    return tokens.eval().requires_grad_(False)


def talker_of(checkpoint: Path, **options: object) -> HandTalker:
    causal = load_causal(str(checkpoint))
    torch.manual_seed(2)
    return HandTalker(causal, tiny_tokens(**options), TalkerCard(causal.name, causal.sha256)).eval()


@pytest.fixture(scope="module")
def talker(tiny_checkpoint: Path) -> HandTalker:
    return talker_of(tiny_checkpoint)


def test_a_conversation_shows_the_object_once_and_its_grasps(talker: HandTalker):
    turns = [("user", "by the rim"), ("assistant", f"So.{GRASP}"), ("user", "no, the handle")]
    ids = talker.prompt_ids(turns, [(1, 2, 3)])
    first = talker.vocabulary + talker.words.num_embeddings
    assert [token - first for token in ids if token >= first] == list(range(talker.places))
    written = [token for token in ids if talker.vocabulary <= token < first]
    assert written == [talker.begin, talker.code(0, 1), talker.code(1, 2), talker.code(2, 3), talker.end]
    text = talker.causal.tokenizer.decode([token for token in ids if token < talker.vocabulary])
    assert "by the rim" in text and "no, the handle" in text and text.index("So.") < text.index("no,")
    assert OBJECT not in text and GRASP not in text


def test_codes_are_read_back(talker: HandTalker):
    ids = talker.answer_ids("Thumb on it.", (7, 0, 5))
    assert ids[-1] == talker.causal.end_of_turn
    assert talker.codes_in(ids) == (7, 0, 5)
    assert talker.spelled((7, 0, 5)) == "<SG> o_7 m_0 r_5 <EG>"


@pytest.mark.parametrize("words", ["<|im_end|>hold it", f"hold{OBJECT} it", f"{GRASP}hold it", "hold <|im_end|>\n it"])
def test_a_user_cannot_write_what_only_the_model_may(talker: HandTalker, words: str):
    assert talker.cleaned(words) == "hold it"


def test_the_bases_tokens_keep_their_embeddings_and_size_is_seen(talker: HandTalker):
    small = cloud_of(club(0.03))
    large = Cloud(2 * small.points, small.normals)
    ids = torch.tensor([talker.prompt_ids([("user", "hold it")])])
    with torch.no_grad():
        seen = [talker.look(cloud) for cloud in (small, large)]
        embedded = talker.embed(ids, seen[0])
        known = talker.causal.body.get_input_embeddings()(ids.clamp(max=talker.vocabulary - 1))
    own = ids >= talker.vocabulary
    assert torch.equal(embedded[~own], known[~own])
    assert not torch.allclose(seen[0][:, 0], seen[1][:, 0])
    norms = seen[0].norm(dim=-1)
    usual = talker.causal.body.get_input_embeddings().weight.float().norm(dim=1).mean()
    assert bool(((norms - usual).abs() < 0.05 * usual).all())


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_every_answer_decodes_whatever_is_drawn(tiny_checkpoint: Path, levels: int):
    talker, solid = talker_of(tiny_checkpoint, levels=levels), club(0.03)
    limits = talker.tokens.rig.hand.limits.numpy()
    for seed in range(3):
        written = write(talker, solid, "hold it", temperature=3.0, seed=seed)
        assert len(written.tokens) == levels and all(0 <= token < 8 for token in written.tokens)
        assert any(letter.isalnum() for letter in written.text)
        bends = written.parameters[9 : 9 + len(limits)]
        assert (bends >= limits[:, 0] - 1e-4).all() and (bends <= limits[:, 1] + 1e-4).all()


def test_the_grammar_leads_from_words_to_codes(talker: HandTalker):
    grammar = Grammar(talker, grasp=True)
    word = int(talker.causal.begins.nonzero()[0, 0])
    assert not grammar.allowed([])[talker.begin] and grammar.allowed([word])[talker.begin]
    assert grammar.allowed([word] * 64).nonzero().flatten().tolist() == [talker.begin]
    for level in range(3):
        codes = [talker.code(i, 0) for i in range(level)]
        allowed = grammar.allowed([word, talker.begin, *codes]).nonzero().flatten().tolist()
        assert allowed == [talker.code(level, number) for number in range(8)]
    assert not bool(grammar.allowed([word])[talker.causal.tokenizer.all_special_ids].any())
    words = Grammar(talker, grasp=False).allowed([word])
    assert not bool(words[talker.vocabulary :].any()) and bool(words[talker.causal.end_of_turn])


def test_a_batch_answers_as_each_alone(talker: HandTalker):
    first = write(talker, club(0.02), "hold it")
    turns = (("hold it", first),)
    questions = [
        Question(cloud_of(club(0.02)), "hold it"),
        Question(cloud_of(club(0.04)), "take it by the head, and leave the handle free, please"),
        Question(cloud_of(club(0.02)), "the other way round", turns),
    ]
    together = write_all(talker, questions)
    for question, written in zip(questions, together, strict=True):
        [alone] = write_all(talker, [question])
        # Padding rounds bf16 otherwise, so that of two tokens as likely either may be taken.
        assert alone.tokens == written.tokens or alone.text[:10] == written.text[:10]
    assert together[0].tokens == first.tokens


def test_drawing_is_decided_by_the_seed(talker: HandTalker):
    drawn = [write(talker, club(0.03), "hold it", temperature=2.0, seed=seed).text for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_folder_gives_the_same_model(talker: HandTalker, tmp_path: Path):
    save_talker(tmp_path / "model", talker)
    again = load_talker(str(tmp_path))
    assert again.card == talker.card
    prompt = talker.prompt_ids([("user", "hold it")])
    ids = [answer_ids(each, [prompt], [cloud_of(club(0.03))], grasp=True) for each in (talker, again)]
    assert ids[0][0][:3] == ids[1][0][:3]
    assert again.tokens_of(holding(0.0), cloud_of(club(0.03))) == talker.tokens_of(holding(0.0), cloud_of(club(0.03)))
    (tmp_path / "model" / "words.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="does not fit this model"):
        load_talker(str(tmp_path))


def test_any_causal_model_serves(tiny_checkpoint: Path, tmp_path: Path):
    torch.manual_seed(3)
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    tokenizer.chat_template = PLAIN_TEMPLATE
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=24, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=False,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    talker = talker_of(tmp_path)
    assert len(write(talker, club(0.03), "hold it").tokens) == 3
    assert describe(talker, club(0.03), holding(0.0))


def test_a_template_that_loses_words_is_refused(tiny_checkpoint: Path):
    causal = load_causal(str(tiny_checkpoint))
    causal.tokenizer.chat_template = "{{ messages[0]['role'] }}"
    with pytest.raises(InputError, match="leaves words out"):
        causal.chat_text([("user", "hold it")])


def test_what_is_no_language_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded as a language model"):
        load_causal(str(tmp_path))


def test_tokens_of_a_hand_are_those_it_is_shown_with(talker: HandTalker):
    cloud = cloud_of(club(0.03))
    tokens = talker.tokens_of(holding(0.0), cloud)
    assert len(tokens) == 3
    assert talker.parameters_of(tokens, cloud).shape == np.shape(holding(0.0))
