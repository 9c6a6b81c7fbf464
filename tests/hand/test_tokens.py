"""Hand tokens: any tokens are a possible hand, both ways agree, and what a token means moves with the object."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hand_cases import mano_arrays, write_mano
from hands_on_solids import draw_grasps, draw_solid
from hypothesis import given, settings
from hypothesis import strategies as st

from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.hand.cloud import Cloud
from graspwise.hand.grasps import HandObject
from graspwise.hand.mano import load_mano
from graspwise.hand.mano_file import FILE
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.tokens import HandTokens, load_hand_tokens, save_hand_tokens

KINDS = {"one": {"levels": 1}, "two": {"levels": 2}, "three": {}, "shared": {"shared": True}}
EACH = 3


def small(**how: object) -> HandTokens:
    """Untrained tokens with codes that stand for something."""
    torch.manual_seed(0)
    tokens = HandTokens(load_open_hand(), number=16, width=8, features=16, hidden=32, probes=12, **how)
    for level in tokens.steps:
        level.codebook.codes.copy_(3 * torch.randn(16, 8))
    return tokens.eval()


def drawn() -> tuple[Cloud, torch.Tensor]:
    """Two objects, and three hands on each."""
    clouds, rows = [], []
    for number, kind in enumerate(("box", "rod")):
        rng = np.random.default_rng(number)
        thing = HandObject.of(draw_solid(kind, rng=rng), object_id=kind, name=kind, set_name="train", rng=rng)
        clouds.append((thing.cloud, thing.normals))
        rows.append(draw_grasps(thing, hand=load_open_hand(), count=EACH, rng=rng))
    return Cloud.of(*(np.stack(part) for part in zip(*clouds, strict=True))), torch.from_numpy(np.concatenate(rows))


CLOUD, HANDS = drawn()
ALL = {name: small(**how) for name, how in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_any_tokens_are_a_possible_hand(name, seed):
    tokens = ALL[name]
    written = torch.randint(0, 16, (2, tokens.levels), generator=torch.Generator().manual_seed(seed))
    transform, articulation, _ = tokens.rig.layout.split(tokens.decode(written, CLOUD))
    low, high = tokens.rig.hand.limits.T
    assert (articulation >= low - 1e-5).all() and (articulation <= high + 1e-5).all()
    turn = transform[:, :3, :3]
    assert torch.allclose(turn @ turn.mT, torch.eye(3).expand(2, 3, 3), atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_training_sees_what_encoding_and_decoding_give(name):
    tokens = ALL[name]
    written = tokens.encode(HANDS, CLOUD)
    assert written.dtype == torch.int64 and written.shape == (6, {"one": 1, "two": 2}.get(name, 3))
    found = tokens(HANDS, CLOUD)
    assert torch.equal(found.numbers, written)
    again = tokens.rig.parameters(found.guesses[-1], CLOUD.middles.repeat_interleave(EACH, 0))
    assert torch.allclose(tokens.decode(written, CLOUD), again, atol=1e-4)
    assert 0 < min(tokens.usage(written).values()) <= 1
    assert list(tokens.usage(written)) == (["shared"] if name == "shared" else ["o", "m", "r"][: tokens.levels])


def test_tokens_move_with_the_object():
    tokens, shift = ALL["three"], torch.tensor([0.3, -0.2, 0.5])
    moved = HANDS.clone()
    moved[:, 6:9] += shift
    there = Cloud(CLOUD.points + shift, CLOUD.normals)
    written = tokens.encode(HANDS, CLOUD)
    assert torch.equal(tokens.encode(moved, there), written)
    before, after = tokens.decode(written, CLOUD), tokens.decode(written, there)
    assert torch.allclose(after[:, 6:9], before[:, 6:9] + shift, atol=1e-4)
    assert torch.allclose(after[:, 9:], before[:, 9:], atol=1e-3)


def test_one_object_at_a_time_gives_the_same():
    tokens = ALL["three"]
    written = tokens.encode(HANDS, CLOUD)
    single = [tokens.encode(HANDS[EACH * i : EACH * (i + 1)], CLOUD.picked([i])) for i in range(2)]
    assert torch.equal(torch.cat(single), written)
    with pytest.raises(ValueError, match="5 hands on 2 objects"):
        tokens.encode(HANDS[:5], CLOUD)


def test_a_level_does_not_change_those_before_it():
    tokens = small()
    tokens(HANDS, CLOUD).guesses[-1].vertices.sum().backward()
    moved = [any(p.grad is not None and p.grad.abs().max() > 0 for p in level.parameters()) for level in tokens.steps]
    assert moved == [False, False, True]
    assert all(p.grad is not None for p in tokens.cloud_encoder.parameters())


def test_the_first_token_says_where_the_second_how():
    found = ALL["three"](HANDS, CLOUD)
    place, manner, all_of_it = found.guesses
    assert torch.equal(place.bend, ALL["three"].rig.start(6, torch.device("cpu")).bend)
    assert torch.equal(manner.transform, place.transform) and not torch.equal(manner.bend, place.bend)
    assert not torch.equal(all_of_it.transform, place.transform)


def test_hands_of_mano_have_tokens_too(tmp_path: Path):
    pytest.importorskip("smplx")
    write_mano(tmp_path / FILE, mano_arrays())
    tokens = HandTokens(load_mano(tmp_path), number=16, width=8, features=16, hidden=32, probes=12).eval()
    start = tokens.rig.parameters(tokens.rig.start(2, torch.device("cpu")), CLOUD.middles)
    save_hand_tokens(tmp_path / "model", tokens)
    loaded = load_hand_tokens(tmp_path / "model", mano=tmp_path)
    decoded = loaded.decode(loaded.encode(start, CLOUD), CLOUD)
    assert decoded.shape == start.shape == (2, 9 + 45 + 10) and decoded.isfinite().all()


def test_shared_tokens_are_three():
    with pytest.raises(ValueError, match="shared tokens are three; found 2"):
        HandTokens(load_open_hand(), levels=2, shared=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_hand_tokens(tmp_path / "model", ALL["three"], recipe="tiny")
    return tmp_path / "model"


def test_saved_tokens_give_the_same_hands(folder: Path):
    # fp16 on disk.
    loaded = load_hand_tokens(folder.parent)
    written = ALL["three"].encode(HANDS, CLOUD)
    assert torch.allclose(loaded.decode(written, CLOUD), ALL["three"].decode(written, CLOUD), atol=0.02)
    assert not any(p.requires_grad for p in loaded.parameters())
    assert read_json(folder / "graspwise.json")["recipe"] == "tiny"


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"network": "grconvnet"}, "holds a grconvnet; valid here are hand-tokens"),
        ({"arguments": {"levels": 3, "breadth": 1}}, "not a card of this version"),
        ({"arguments": {"number": 32}}, "does not fit this model"),
    ],
)
def test_another_folder_is_one_line(folder: Path, change, complaint):
    write_json(folder / "graspwise.json", {**read_json(folder / "graspwise.json"), **change})
    with pytest.raises(InputError, match=complaint) as caught:
        load_hand_tokens(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_weights_is_not_whole(folder: Path):
    (folder / "hand_tokens.safetensors").unlink()
    with pytest.raises(InputError, match="the model folder is not whole"):
        load_hand_tokens(folder)
