"""Training GR-ConvNet: it learns, its labels follow the picture, and stopping and resuming changes nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import graspwise.train.loop as loop
from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.grasp import angle_difference
from graspwise.model.baselines import blob_grasp
from graspwise.model.grconvnet import GrConvNet, fill_holes
from graspwise.train.peer import PEER_RECIPES, TINY, PeerConfig, PeerTask, peer_recipe_named, train_peer, turned_part


@pytest.fixture(autouse=True)
def one_thread():
    """On pictures this small, threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def task(dataset: Dataset, count: int) -> PeerTask:
    torch.manual_seed(0)
    samples = list(dataset)[:count]
    network = GrConvNet(width=4, dropout=0.0)
    return PeerTask(network, dataset, training=samples, validation=samples, recipe=TINY, seed=0)


def test_two_samples_are_learned(dataset_folder):
    learner = task(Dataset(dataset_folder), 2)
    prepared = learner.prepare(range(2))
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = learner.loss(prepared)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_bf16_leads_where_fp32_does(dataset_folder):
    learner = task(Dataset(dataset_folder), 4)
    prepared = learner.prepare(range(4))
    losses, gradients = [], []
    for learner.bf16 in (False, True):
        learner.network.zero_grad()
        loss = learner.loss(prepared)
        loss.backward()
        losses.append(float(loss.detach()))
        gradients.append(torch.cat([p.grad.flatten() for p in learner.network.parameters()]))
    assert loss.dtype == torch.float32
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.98


def test_what_a_position_sees_depends_on_seed_and_position_alone(dataset_folder):
    learner = task(Dataset(dataset_folder), 5)
    pictures, maps = learner.prepare(range(3, 7))
    again, _ = learner.prepare(range(5, 7))
    assert pictures.shape == (4, 3, 64, 64) and maps.shape == (4, 4, 64, 64)
    assert torch.equal(pictures[2:], again)
    assert all(m[0].max() == 1 for m in maps)


def test_labels_follow_the_turned_part(dataset_folder):
    """The bar of the fixture is closed on across its length: found in the turned picture, it agrees with the label."""
    dataset, agreed = Dataset(dataset_folder), []
    samples = [sample for sample in dataset if sample.original]
    for index in range(24):
        rng = np.random.default_rng(index)
        seen = turned_part(dataset, samples[index % len(samples)], size=128, zoom=0.5, rng=rng)
        assert seen.rgb.shape == (128, 128, 3) and seen.rectangles
        found, labels = blob_grasp(seen.rgb), seen.grasps
        nearest = min(labels, key=lambda g: math.dist((g.x, g.y), (found.x, found.y)))
        near = math.dist((nearest.x, nearest.y), (found.x, found.y)) < 0.12
        agreed.append(near and angle_difference(nearest.theta, found.theta) < math.radians(10))
    assert sum(agreed) >= 16


def test_depth_follows_the_turned_part_and_stays_in_metres(depth_dataset_folder):
    """The bar stands 40 mm above the table beside it, however large it is shown."""
    dataset = Dataset(depth_dataset_folder)
    samples = [sample for sample in dataset if sample.original]
    for index in range(24):
        rng = np.random.default_rng(index)
        seen = turned_part(dataset, samples[index % len(samples)], size=128, zoom=0.5, rng=rng, depth=True)
        bar, relief = seen.rgb[:, :, 0] < 130, fill_holes(seen.picture.depth)
        # The table slopes by 6 mm across the picture.
        assert np.median(relief[~bar]) - np.median(relief[bar]) == pytest.approx(0.04, abs=0.006)
        high = relief < 0.685
        assert (bar & high).sum() / (bar | high).sum() > 0.85


def test_with_depth_it_has_four_channels(depth_dataset_folder, tmp_path):
    config = PeerConfig(data=str(depth_dataset_folder), recipe=TINY.scaled(8), depth=True, watch=1)
    folder = train_peer(config, out=tmp_path / "run")
    assert read_json(folder / "graspwise.json")["channels"] == 4
    weights = load_file(folder / "grconvnet.safetensors")
    assert weights["down.0.weight"].shape[1] == 4
    # What it learned of depth is not what it was born with.
    torch.manual_seed(config.seed)
    born = GrConvNet(channels=4, width=TINY.width).state_dict()["down.0.weight"]
    assert not torch.equal(weights["down.0.weight"][:, 3], born[:, 3])


def test_depth_that_the_data_set_lacks_is_one_line(dataset_folder, tmp_path):
    config = PeerConfig(data=str(dataset_folder), recipe=TINY, depth=True)
    with pytest.raises(InputError, match="has no depth; valid is a data set built with --depth") as caught:
        train_peer(config, out=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run").glob("*"))


def test_wishes_are_refused_with_what_to_learn_from(dataset_folder, tmp_path):
    info = read_json(dataset_folder / "dataset.json")
    write_json(tmp_path / "wishes" / "dataset.json", {**info, "task": "wishes"})
    config = PeerConfig(data=str(tmp_path / "wishes"), recipe=TINY)
    with pytest.raises(InputError, match=r"is of wishes.*valid is .* by `graspwise dataset build sim`") as caught:
        train_peer(config, out=tmp_path / "run")
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()


def test_validation_figures_leave_the_network_training(dataset_folder):
    learner = task(Dataset(dataset_folder), 3)
    before = {name: value.clone() for name, value in learner.network.state_dict().items()}
    figures = learner.watch()
    assert 0 <= figures["accuracy"] <= figures["accuracy_of_three"] <= 1
    assert learner.network.training
    assert all(torch.equal(before[name], value) for name, value in learner.network.state_dict().items())


def test_resumed_run_is_the_unbroken_run(dataset_folder, tmp_path, monkeypatch):
    config = PeerConfig(data=str(dataset_folder), recipe=TINY, folds=3, fold=1, watch=1)
    train_peer(config, out=tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop_after_two(progress: loop.Progress) -> None:
        if progress.step == 3:
            raise Stop

    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", -1.0)
    with pytest.raises(Stop):
        train_peer(config, out=tmp_path / "broken", report=stop_after_two)
    with pytest.raises(InputError, match="another seed"):
        train_peer(replace(config, seed=1), out=tmp_path / "broken", resume=True)
    train_peer(config, out=tmp_path / "broken", resume=True)
    whole, broken = (load_file(tmp_path / run / "model" / "grconvnet.safetensors") for run in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert int(whole["down.1.num_batches_tracked"]) == 4
    split, card = read_json(tmp_path / "whole" / "split.json"), read_json(tmp_path / "whole" / "model/graspwise.json")
    assert card["trained_on"] == [f"cornell:{name}" for name in sorted(split["training"])]


@pytest.mark.parametrize("name", PEER_RECIPES)
def test_recipes_are_sound(name):
    recipe = peer_recipe_named(name)
    assert recipe.image_size % 4 == 0 and 0 < recipe.zoom <= 1
    assert recipe.scaled(None) == recipe and recipe.scaled(7).stage.samples == 7
    with pytest.raises(InputError, match="budget"):
        recipe.scaled(0)


def test_paper_recipe_has_the_papers_values():
    """arXiv 1909.04810, section V."""
    paper = peer_recipe_named("paper")
    assert (paper.image_size, paper.width) == (224, 32)
    assert (paper.stage.batch, paper.stage.learning_rate, paper.stage.weight_decay) == (8, 1e-3, 0.0)
    with pytest.raises(InputError, match="valid for grconvnet: paper, tiny"):
        peer_recipe_named("small")
