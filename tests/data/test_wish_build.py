"""The data set of wishes: what a sample holds is true of its scene, in every kind, and the same however it is built."""

import math
import re
import shutil
from collections import Counter
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from wish_folders import BOWL, HAMMER, MUG, SCISSORS, SIZE, Drawn, label, write_graspnet_frame, write_sim_scene

from graspwise.answer import AnswerError, parse_grasp
from graspwise.data import wish_build
from graspwise.data.graspnet import read_graspnet
from graspwise.data.sheet import TARGET, dataset_sheet, outlined, sample_tile
from graspwise.data.store import Dataset, Sample, read_mask
from graspwise.data.wish_build import (
    WishConfig,
    asked_at,
    asked_of,
    build_wishes,
    make_sample,
    sets_to_refuse,
    wish_in,
)
from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import WishScenes, grasps_of, read_wish_scenes
from graspwise.data.wish_views import mapped_mask
from graspwise.data.wishes import KINDS, plain
from graspwise.draw import LABEL
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.rectangle import GraspRectangle
from graspwise.transform import Transform

CONFIG = WishConfig(samples=120, seed=4, size=96, depth=True)
CONTENTS = [(MUG, SCISSORS, HAMMER), (MUG, BOWL), (SCISSORS, HAMMER, BOWL, MUG), (HAMMER, BOWL)]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> WishScenes:
    root = tmp_path_factory.mktemp("wish-scenes")
    for number, things in enumerate(CONTENTS):
        write_sim_scene(root / "scenes" / f"{number:06d}", things)
    return read_wish_scenes(root)


@pytest.fixture(scope="module")
def dataset(scenes: WishScenes, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("wishes") / "data"
    return Dataset(build_wishes(scenes, out=out, config=CONFIG, workers=1))


def test_the_kinds_have_equal_shares_and_the_data_set_says_them(dataset: Dataset) -> None:
    samples = list(dataset)
    counts = Counter(asked_of(sample.wish) for sample in samples)
    kinds = {kind: counts.pop(kind) for kind in KINDS}
    assert dataset.info["kinds"] == kinds and max(kinds.values()) - min(kinds.values()) <= 1
    assert counts == {"refused": math.floor(0.12 * 120), "unnamed": math.floor(0.04 * 120)}
    assert {name: dataset.info[name] for name in counts} == counts
    assert (dataset.info["task"], dataset.info["sets"], dataset.info["source"]) == ("wishes", ["train"], "sim")
    assert (dataset.info["scenes"], dataset.info["samples"], dataset.info["test"]) == (len(CONTENTS), 120, False)
    assert sum(dataset.info["shares"].values()) == pytest.approx(1, abs=1e-3)
    assert [sample.id for sample in samples] == [f"{index:06d}" for index in range(120)]


@given(st.integers(1, 400), st.floats(0, 0.8), st.floats(0, 0.15), st.integers(1, 4))
def test_shares_hold_from_the_first_sample_on(count: int, refusals: float, anything: float, kinds: int) -> None:
    drawn = Counter(
        asked_at(index, kinds=KINDS[:kinds], refusals=refusals, anything=anything) for index in range(count)
    )
    assert abs(drawn[None] - refusals * count) < 1.001
    assert abs(drawn["unnamed"] - anything * count) < 2.001
    wanted = [drawn[kind] for kind in KINDS[:kinds]]
    assert max(wanted) - min(wanted) <= 1


def scene_of(scenes: WishScenes, sample: Sample) -> int:
    return int(sample.source_image)


def test_a_wish_that_can_be_served_has_all_right_grasps_of_all_right_targets(
    dataset: Dataset, scenes: WishScenes
) -> None:
    for sample in dataset:
        wish, scene = sample.wish, scenes[scene_of(scenes, sample)]
        assert sample.object_id == f"scene-{scene.name}"
        if wish.refused:
            continue
        targets = [Target(target["index"], target["name"], target["part"]) for target in wish.targets]
        named = grasps_of(scene, targets[:1])
        right = [*named, *(grasp for grasp in grasps_of(scene, targets) if grasp not in named)]
        expected = [grasp.grasp.rectangle(image_size=SIZE) for grasp in right]
        assert len(sample.rectangles) == len(expected) >= wish.named == len(named) > 0
        for found, meant in zip(sample.rectangles, expected, strict=True):
            np.testing.assert_allclose(found.corners, sample.transform.rectangle(meant).corners, atol=1e-3)
        named = scene.thing(targets[0].index)
        assert wish.things == tuple({"index": thing.index, "name": thing.category} for thing in scene.things)
        if asked_of(wish) == "unnamed":
            # Everything is right, and what has most right grasps is named.
            assert {target.index for target in targets} == {thing.index for thing in scene.things}
            most = max(len(grasps_of(scene, [target])) for target in targets)
            assert len(grasps_of(scene, targets[:1])) == most
        assert grasps_of(scene, targets[:1])
        assert (sample.category, sample.description) == (named.category, named.description)
        assert all(target["part"] is None for target in wish.targets) or wish.kind.startswith("part")
        for target in wish.targets:
            part = target["part"] and scene.part_indices[target["index"], target["part"]]
            assert target["part_index"] == part


def test_the_first_rectangles_lie_on_the_target_that_the_answer_names(dataset: Dataset) -> None:
    several = [sample for sample in dataset if len(sample.rectangles) > sample.wish.named > 0]
    assert several
    for sample in several:
        first = sample.wish.targets[0]
        objects, parts = (read_mask(dataset.folder / path) for path in (sample.wish.objects, sample.wish.parts))
        on_it = objects == first["index"] if first["part"] is None else parts == first["part_index"]
        hit = []
        for rectangle in sample.rectangles:
            x, y = rectangle.center
            hit.append(bool(on_it[round(y), round(x)]))
        assert hit == [True] * sample.wish.named + [False] * (len(hit) - sample.wish.named)


def test_answers_are_words_that_name_the_target_or_refuse(dataset: Dataset) -> None:
    for sample in dataset:
        assert plain(sample.instruction) and not re.search(r"[\d\[\]{}]", sample.instruction)
        assert sample.answer.count("[SPT]") == (0 if sample.wish.refused else 2)
        with pytest.raises(AnswerError):
            parse_grasp(sample.answer)
        if sample.wish.refused:
            assert (sample.rectangles, sample.wish.targets, sample.category) == ((), (), "")
            assert sample.wish.named == 0
        else:
            between = sample.answer.split("[SPT]")[1]
            target = sample.wish.targets[0]
            assert (target["part"] or target["name"]) in between


def test_the_wordings_of_training_and_test_share_no_family(
    dataset: Dataset, scenes: WishScenes, tmp_path: Path
) -> None:
    config = replace(CONFIG, test=True, depth=False)
    tested = Dataset(build_wishes(scenes, out=tmp_path / "data", config=config, workers=1))
    families, wordings = (
        ({sample.wish.family for sample in data} for data in (dataset, tested)),
        ({plain(sample.instruction) for sample in data} for data in (dataset, tested)),
    )
    assert not set.intersection(*families) and not set.intersection(*wordings)
    # Training reads this, and refuses such a data set.
    assert (dataset.info["test"], tested.info["test"]) == (False, True)
    assert all(sample.depth is None for sample in tested)


def test_masks_and_pictures_are_aligned_with_the_labels(dataset: Dataset) -> None:
    for sample in dataset:
        picture = dataset.picture(sample, depth=True)
        mask = dataset.target_mask(sample)
        assert picture.size == (96, 96)
        if mask is None:
            assert sample.wish.refused
            continue
        assert mask.shape == (96, 96)
        # A drawn thing is 30 x 20 of 160 x 120 pixels, and a part a third or two of it.
        area = mask.sum() / (30 * 20 * sample.transform.scale**2)
        assert area == pytest.approx(round(area * 3) / 3, abs=0.1)
        for rectangle in sample.rectangles:
            x, y = rectangle.center
            assert mask[round(y), round(x)]
        # Things are redder or bluer than the table; the bars beside the picture are grey.
        spread = np.ptp(picture.rgb.astype(int), axis=2)
        assert spread[mask].mean() > 60
        assert (read_mask(dataset.folder / sample.wish.objects)[:12] == 0).all()
        assert np.isfinite(picture.depth[12:84]).all() and np.isnan(picture.depth[:11]).all()


def test_a_scene_has_one_picture_and_its_masks_for_all_its_wishes(dataset: Dataset) -> None:
    files = sorted(path.name for path in (dataset.folder / "images").rglob("*") if path.is_file())
    kinds = (".jpg", "-objects.png", "-parts.png", "-depth.png")
    assert files == sorted(f"{number:06d}{kind}" for number, kind in product(range(len(CONTENTS)), kinds))
    by_scene = {(sample.object_id, sample.image, sample.wish.objects, sample.wish.parts) for sample in dataset}
    assert len(by_scene) == len(CONTENTS)


@given(st.floats(0.2, 3), st.tuples(st.integers(20, 60), st.integers(20, 60)))
def test_a_mask_goes_where_its_points_go(scale: float, middle: tuple[int, int]) -> None:
    mask = np.zeros((80, 80), np.uint8)
    mask[middle[1] - 8 : middle[1] + 9, middle[0] - 8 : middle[0] + 9] = 7
    transform = Transform.about(
        source=(40, 40), target=(64, 64), scale=scale, theta=0.0, source_size=(80, 80), size=(128, 128)
    )
    found = mapped_mask(mask, transform)
    assert set(np.unique(found)) <= {0, 7}
    x, y = transform.points(np.array(middle, float))
    if (np.abs([x - 64, y - 64]) < 50).all():
        assert found[round(y), round(x)] == 7


def test_the_same_seed_gives_the_same_data_set_however_it_is_built(scenes: WishScenes, tmp_path: Path) -> None:
    config = WishConfig(samples=70, seed=1, size=64)
    folders = [
        build_wishes(scenes, out=tmp_path / name, config=replace(config, seed=seed), workers=workers)
        for name, seed, workers in (("a", 1, 1), ("b", 1, 2), ("c", 2, 1))
    ]
    first, again, other = ((folder / "samples-00000.jsonl").read_text() for folder in folders)
    assert first == again != other
    for path in (folders[0] / "images").rglob("*.*"):
        assert (folders[1] / path.relative_to(folders[0])).read_bytes() == path.read_bytes()
    # A shorter one is the beginning of a longer one.
    short = build_wishes(scenes, out=tmp_path / "d", config=replace(config, samples=20), workers=1)
    assert (short / "samples-00000.jsonl").read_text().splitlines() == first.splitlines()[:20]


def test_a_build_that_is_cut_off_leaves_no_data_set(
    scenes: WishScenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "data"

    def stop(index: int, **options: object) -> object:
        if index == 10:
            raise KeyboardInterrupt
        return make_sample(index, **options)

    monkeypatch.setattr(wish_build, "make_sample", stop)
    with pytest.raises(KeyboardInterrupt):
        build_wishes(scenes, out=out, config=WishConfig(samples=20, size=64), workers=1)
    assert [path for path in tmp_path.rglob("*") if path != out] == []
    monkeypatch.undo()
    # The same command works then.
    assert len(list(Dataset(build_wishes(scenes, out=out, config=WishConfig(samples=20, size=64), workers=1)))) == 20


def test_what_is_made_is_let_go(scenes: WishScenes, tmp_path: Path) -> None:
    """The stream is asked for a piece at a time, not gathered first."""
    written = []

    def watch(samples, total):  # type: ignore[no-untyped-def]
        for sample in samples:
            written.append((sample.id, len(list((tmp_path).rglob("*.jpg")))))
            yield sample

    build_wishes(
        scenes[:1], out=tmp_path / "data", config=WishConfig(samples=5, size=64), workers=1, progress=watch
    )  # fmt: skip
    assert [name for name, _ in written] == [f"{index:06d}" for index in range(5)]


def test_only_the_scenes_that_serve_a_wish_are_asked(tmp_path: Path) -> None:
    grasp = Grasp(x=0.2, y=0.2, theta=0.0, opening=0.1)
    wrong = [label(1, grasp, rate=0.0), label(2, grasp, allowed=False)]
    write_sim_scene(tmp_path / "scenes" / "000000", (MUG, SCISSORS), rows=wrong)
    write_sim_scene(tmp_path / "scenes" / "000001", (MUG, HAMMER))
    config = WishConfig(samples=24, size=64, refusals=0.25)
    dataset = Dataset(build_wishes(read_wish_scenes(tmp_path), out=tmp_path / "data", config=config, workers=1))
    used = Counter((sample.source_image, sample.wish.refused) for sample in dataset)
    assert used["000001", False] == 18 and ("000000", False) not in used
    # What is not there may be refused in either.
    assert used["000000", True] + used["000001", True] == 6


def test_a_scene_in_which_anything_may_be_refuses_nothing(scenes: WishScenes) -> None:
    scene, rng = scenes[0], np.random.default_rng(0)
    assert wish_in(scene, None, test=False, rng=rng) is not None
    unknown = replace(scene.things[0], category="object", description="object")
    assert wish_in(replace(scene, things=(unknown, *scene.things[1:])), None, test=False, rng=rng) is None


def test_household_scenes_are_taken_and_said(tmp_path: Path) -> None:
    things = [replace(thing, set="household") for thing in (MUG, HAMMER)]
    write_sim_scene(tmp_path / "scenes" / "000000", things)
    write_sim_scene(tmp_path / "scenes" / "000001", (BOWL, Drawn("scissors", "steel", SCISSORS.parts)))
    scenes = read_wish_scenes(tmp_path)
    config = WishConfig(samples=12, size=64, test=True)
    assert Dataset(build_wishes(scenes, out=tmp_path / "a", config=config, workers=1)).info["sets"] == [
        "household", "train"
    ]  # fmt: skip
    assert Dataset(build_wishes(scenes[:1], out=tmp_path / "b", config=config, workers=1)).info["sets"] == ["household"]


def test_graspnet_gives_wishes_about_things_without_parts(tmp_path: Path) -> None:
    meshes = ((0, "003_cracker_box"), (7, "025_mug"), (9, "037_scissors"), (5, "011_banana"))
    for frame in range(3):
        write_graspnet_frame(tmp_path, frame=frame, meshes=meshes[: 2 + frame])
    config = WishConfig(samples=30, size=96, depth=True)
    dataset = Dataset(build_wishes(read_graspnet(tmp_path), out=tmp_path / "data", config=config, workers=1))
    kinds = {kind: count for kind, count in dataset.info["kinds"].items() if count}
    assert set(kinds) == {"object explicit", "object implicit"}
    assert (dataset.info["source"], dataset.info["sets"]) == ("graspnet", ["graspnet-train"])
    # A split by object keeps all frames of a scene on one side.
    assert {(sample.object_id, sample.source_image) for sample in dataset} == {
        ("scene_0000", f"scene_0000-kinect-000{frame}") for frame in range(3)
    }
    for test, sets in ((False, {"graspnet"}), (True, {"graspnet", "graspnet-test"})):
        assert sets_to_refuse(read_graspnet(tmp_path)[0], test=test) == sets
    for sample in dataset:
        assert sample.wish.parts is None
        assert dataset.picture(sample, depth=True).size == (96, 96)
        mask = dataset.target_mask(sample)
        if mask is not None:
            for rectangle in sample.rectangles:
                x, y = rectangle.center
                assert mask[round(y), round(x)]
                assert rectangle.opening == pytest.approx(30 * sample.transform.scale, abs=1e-2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 0}, "--samples is 0; valid is 1 or more"),
        ({"seed": -1}, "--seed is -1"),
        ({"refusals": 1.0}, "--refusals is 1.0; valid is 0 to below 0.96"),
        ({"refusals": -0.1}, "--refusals is -0.1"),
    ],
)
def test_values_outside_their_range_are_refused(
    changes: dict, message: str, scenes: WishScenes, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build_wishes(scenes, out=tmp_path / "data", config=WishConfig(**changes), workers=1)
    assert not (tmp_path / "data").exists()


def test_scenes_without_any_such_wish_are_refused(tmp_path: Path) -> None:
    write_sim_scene(tmp_path / "scenes" / "000000", (MUG, BOWL), rows=[])
    with pytest.raises(InputError, match="gave no wish of the kind object explicit with a right grasp"):
        build_wishes(read_wish_scenes(tmp_path), out=tmp_path / "data", config=WishConfig(samples=4), workers=1)
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_a_picture_that_does_not_fit_its_masks_is_refused(tmp_path: Path) -> None:
    scene = write_sim_scene(tmp_path / "scenes" / "000000", (MUG, BOWL))
    Image.new("RGB", (80, 60)).save(scene / "rgb.png")
    with pytest.raises(InputError, match=r"rgb.png: found .80, 60. pixels"):
        build_wishes(read_wish_scenes(tmp_path), out=tmp_path / "data", config=WishConfig(samples=4), workers=1)


def test_the_sheet_shows_the_target_and_all_right_rectangles(dataset: Dataset) -> None:
    served = next(sample for sample in dataset if not sample.wish.refused)
    refused = next(sample for sample in dataset if sample.wish.refused)

    def pixels(sample: Sample, colour: tuple[int, int, int]) -> int:
        shown = np.asarray(sample_tile(dataset, sample)).astype(int)
        return int((np.abs(shown - colour).max(axis=2) < 60).sum())

    for colour in (TARGET, LABEL):
        assert pixels(served, colour) > 40 and pixels(refused, colour) == 0
    assert dataset_sheet(dataset, count=4, columns=2).height > 400


def test_the_outline_is_round_the_mask_and_leaves_the_middle(dataset: Dataset) -> None:
    sample = next(iter(dataset))
    picture = dataset.picture(sample)
    mask = np.zeros((96, 96), bool)
    mask[30:60, 20:70] = True
    changed = (outlined(picture, mask).rgb != picture.rgb).any(axis=2)
    assert changed[28, 20:70].all() and changed[30:60, 71].all()
    assert not changed[32:58, 22:68].any() and not changed[:24].any()


def test_samples_come_back_as_they_were_written(dataset: Dataset) -> None:
    for sample in islice(dataset, 12):
        again = Sample.from_json(sample.to_json())
        assert again.wish == sample.wish
        assert again.messages == sample.messages
        assert all(isinstance(rectangle, GraspRectangle) for rectangle in again.rectangles)


def test_a_wish_may_go_on_from_another_which_stays_what_it_was(scenes: WishScenes, tmp_path: Path):
    # Two that are right, for the other one.
    root = scenes.root.parent
    shutil.copytree(root, tmp_path / "more")
    write_sim_scene(tmp_path / "more" / "scenes" / f"{len(CONTENTS):06d}", (HAMMER, MUG, HAMMER))
    scenes = read_wish_scenes(tmp_path / "more")
    dataset = Dataset(build_wishes(scenes, out=tmp_path / "alone", config=CONFIG, workers=1))
    config = replace(CONFIG, conversations=1.0)
    talk = list(Dataset(build_wishes(scenes, out=tmp_path / "talk", config=config, workers=1)))
    turned = [(alone, sample) for alone, sample in zip(dataset, talk, strict=True) if sample.start]
    assert len(turned) > 60
    sorts: Counter[str] = Counter()
    for alone, sample in turned:
        assert sample.messages[:2] == alone.messages and sample.turns == 1
        assert sample.wish is not None and sample.wish.before is not None and alone.wish is not None
        before, [target, *_] = sample.wish.before, sample.wish.targets
        sorts[sample.wish.family] += 1
        assert (before["asked"], before["reason"]) == (alone.instruction, alone.answer)
        if alone.wish.refused:
            assert before["grasp"] is None
        else:
            assert any(np.allclose(before["grasp"], r.corners, atol=0.01) for r in alone.rectangles[: alone.wish.named])
            [first, *_] = alone.wish.targets
            assert (target["index"] == first["index"]) == (sample.wish.family == "turn: part")
            assert target["part"] != first["part"] or target["index"] != first["index"]
        if sample.wish.family == "turn: part":
            assert target["part"] in sample.instruction and target["part"] in sample.answer
        if sample.wish.family == "turn: instead":
            assert target["name"].split()[-1] in sample.instruction
        assert sample.rectangles and sample.wish.named
    assert set(sorts) == {"turn: other", "turn: part", "turn: instead"}
    # The same without those that do not go on.
    assert [(a.instruction, a.answer) for a, s in zip(dataset, talk, strict=True) if not s.start] == [
        (s.instruction, s.answer) for s in talk if not s.start
    ]
