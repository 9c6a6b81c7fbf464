"""Training hand tokens: they learn, hands turn with their objects, and stopping and resuming changes nothing."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from hands_on_solids import draw_hands
from safetensors.torch import load_file

import graspwise.train.loop as loop
from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.hand.grasps import HandDataset
from graspwise.hand.model import place_points
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.tokens import HandTokens, load_hand_tokens
from graspwise.train.hand_batches import Hands
from graspwise.train.hand_tokens import (
    HAND_TOKENS_RECIPES,
    TINY,
    HandTokensConfig,
    HandTokensTask,
    errors,
    hand_tokens_recipe_named,
    measure,
    train_hand_tokens,
)


@pytest.fixture(autouse=True)
def one_thread():
    """On networks this small, threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_hands(tmp_path_factory.mktemp("hands") / "data", objects=6, each=6)


def task(data: Path, **how: object) -> HandTokensTask:
    torch.manual_seed(0)
    dataset = HandDataset(data)
    split = dataset.split(validation=0.25)
    tokens = HandTokens(load_open_hand(), number=16, width=16, features=16, hidden=48, **how)
    return HandTokensTask(
        tokens, training=Hands(dataset, split.training), validation=Hands(dataset, split.validation), recipe=TINY,
        seed=0,
    )  # fmt: skip


def test_hands_are_learned(data: Path):
    learner = task(data)
    optimizer = torch.optim.AdamW(learner.tokens.parameters(), lr=3e-3)
    batch, losses = learner.prepare(range(8)), []
    for _ in range(40):
        loss = learner.loss(batch)
        losses.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < 0.5 * losses[0]


def test_validation_figures_leave_the_tokens_learning(data: Path):
    learner = task(data)
    before = {name: value.clone() for name, value in learner.tokens.state_dict().items()}
    figures = learner.watch()
    assert figures.keys() == {"mpvpe_mm", "training_mpvpe_mm", "usage_o", "usage_m", "usage_r"}
    assert learner.tokens.training
    assert all(torch.equal(before[name], value) for name, value in learner.tokens.state_dict().items())


def test_a_batch_has_several_hands_on_each_object_turned_with_it(data: Path):
    learner = task(data)
    batch = learner.prepare(range(8, 16))
    assert len(batch.cloud.points) == 2 and len(batch.parameters) == len(batch.own) == 8
    again = learner.prepare(range(8, 16))
    assert torch.equal(batch.parameters, again.parameters) and torch.equal(batch.cloud.points, again.cloud.points)
    assert not torch.equal(batch.parameters, learner.prepare(range(16, 24)).parameters)
    layout, plain = learner.tokens.rig.layout, learner.training
    for row, parameters in enumerate(batch.parameters):
        # Turning changes neither the hand nor how far it is from its object's points.
        number = int((plain.parameters[:, 9:] - parameters[9:]).abs().amax(1).argmin())
        owner = next(i for i, (first, end) in enumerate(plain.ranges) if first <= number < end)
        hands = [
            place_points(layout.split(p[None])[0], batch.own[row][None])[0]
            for p in (parameters, plain.parameters[number])
        ]
        clouds = (batch.cloud.points[row // 4], plain.cloud.points[owner])
        far = [torch.cdist(*pair) for pair in zip(hands, clouds, strict=True)]
        assert torch.allclose(*far, atol=1e-4)
        assert (hands[0] - hands[1]).norm(dim=-1).max() > 1e-3


def test_errors_of_the_truth_are_none(data: Path):
    learner = task(data)
    batch = learner.prepare(range(8))
    found = learner.tokens.eval()(batch.parameters, batch.cloud, own=batch.own)
    # Where it puts a hand is judged with the right hand, so how that is bent does not count there.
    right = replace(
        found, guesses=(replace(found.guesses[0], transform=found.truth.transform), found.truth, found.truth)
    )
    assert [float(error) for error in errors(learner.tokens, right)] == pytest.approx([0, 0], abs=1e-6)
    vertices, parameters = errors(learner.tokens, found)
    assert vertices > 0.01 and parameters > 0


def test_mpvpe_is_the_mean_distance_of_vertices(data: Path):
    learner = task(data)
    tokens, hands = learner.tokens.eval(), learner.validation
    (cloud, rows), *_ = hands.chunks()
    layout = tokens.rig.layout
    first, second = (
        tokens.rig.hand.pose(*layout.split(p)).vertices
        for p in (rows, tokens.decode(tokens.encode(rows, cloud), cloud))
    )
    assert len(hands) == len(rows) == 6
    assert measure(tokens, hands)["mpvpe_mm"] == pytest.approx(
        1000 * float((first - second).norm(dim=-1).mean()), abs=2e-3
    )


def test_resumed_run_is_the_unbroken_run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = HandTokensConfig(data=str(data), recipe=TINY, validation=0.25, watch=1)
    lines: list[str] = []
    train_hand_tokens(config, out=tmp_path / "whole", say=lines.append)

    class Stop(Exception):
        pass

    def stop_after_two(progress: loop.Progress) -> None:
        if progress.step == 3:
            raise Stop

    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", -1.0)
    with pytest.raises(Stop):
        train_hand_tokens(config, out=tmp_path / "broken", report=stop_after_two)
    with pytest.raises(InputError, match="another tokens"):
        train_hand_tokens(replace(config, tokens="1"), out=tmp_path / "broken", resume=True)
    train_hand_tokens(config, out=tmp_path / "broken", resume=True)
    whole, broken = (load_file(tmp_path / run / "model" / "hand_tokens.safetensors") for run in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    report, split = (read_json(tmp_path / "whole" / name) for name in ("report.json", "split.json"))
    assert report["objects"] == {"training": 3, "validation": 1, "test": 2}
    assert report["mpvpe_mm"].keys() == {"training", "validation", "test"}
    assert set(report["usage"]) == {"o", "m", "r"} and all(0 < share <= 1 for share in report["usage"].values())
    assert all(name.startswith("household/") for name in split["test"])
    card = read_json(tmp_path / "whole" / "model" / "graspwise.json")
    assert card["trained_on"] == split["training"] and card["hand"] == "open"
    # What is reported is what was written.
    written = measure(load_hand_tokens(tmp_path / "whole"), Hands(HandDataset(data), split["test"]))
    assert written["mpvpe_mm"] == report["mpvpe_mm"]["test"] and len(lines) == 2


def test_other_counts_of_tokens_are_one_line(data: Path, tmp_path: Path):
    with pytest.raises(InputError, match="--tokens is 4; valid: 1, 2, 3, shared"):
        train_hand_tokens(HandTokensConfig(data=str(data), tokens="4"), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_data_set_for_testing_alone_is_one_line(data: Path, tmp_path: Path):
    info = read_json(data / "dataset.json")
    for thing in info["objects"]:
        thing["set"] = "household"
    for name in ("hands.npz", "captions.jsonl"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    write_json(tmp_path / "dataset.json", info)
    with pytest.raises(InputError, match="no hand is left for training"):
        train_hand_tokens(HandTokensConfig(data=str(tmp_path), recipe=TINY), out=tmp_path / "run")


@pytest.mark.parametrize("name", HAND_TOKENS_RECIPES)
def test_recipes_are_sound(name):
    recipe = hand_tokens_recipe_named(name)
    assert recipe.stage.batch % recipe.stage.micro_batch == recipe.stage.micro_batch % recipe.each == 0
    assert recipe.scaled(None) == recipe and recipe.scaled(7).stage.samples == 7
    with pytest.raises(InputError, match="budget"):
        recipe.scaled(0)


def test_small_recipe_has_the_papers_codebooks():
    """arXiv 2404.03590, section 4: 512 codes of width 256 a level."""
    small = asdict(hand_tokens_recipe_named("small"))
    assert (small["codes"], small["width"]) == (512, 256)
    with pytest.raises(InputError, match="valid for hand-tokens: small, tiny"):
        hand_tokens_recipe_named("paper")
