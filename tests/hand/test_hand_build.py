"""Building hands: few, on a small thing; the same on resume and for any number of processes."""

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from graspwise.errors import InputError
from graspwise.hand import build
from graspwise.hand.build import HandsConfig, build_hands, build_object, holdable, load_hand, mixture, object_ids
from graspwise.hand.grasps import RECORD, HandDataset
from graspwise.hand.keep import DEEPEST, WIDEST_GAP
from graspwise.hand.mesh import Distance, solid_of
from graspwise.hand.metrics import contact_fingers, gap, part_agreement, penetration_depth
from graspwise.hand.model import FINGERS, REGIONS
from graspwise.sim.catalogue import thing_of

CONFIG = HandsConfig(("household:lemon",), each=2)


@pytest.fixture(scope="module", autouse=True)
def quick() -> "pytest.MonkeyPatch":
    """Fewer hands at once and fewer steps than are good for a data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "BATCH", 3)
        patch.setattr(build, "grasps_on", partial(build.grasps_on, steps=60))
        yield patch


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "hands"
    build_hands(CONFIG, folder, workers=1)
    return folder


def test_every_grasp_is_what_it_is_said_to_be(built: Path) -> None:
    data, hand = HandDataset(built), load_hand("open")
    assert len(data.grasps) == 2 and data.hand == "open" and list(data.objects) == ["household/lemon"]
    solid = data.solid("household/lemon")
    distance = Distance(solid)
    for grasp in data.grasps:
        posed = hand.pose(*hand.layout.split(torch.from_numpy(grasp.parameters)[None]))
        vertices = posed.vertices[0].double().numpy()
        assert penetration_depth(vertices, distance) <= DEEPEST and gap(vertices, distance) <= WIDEST_GAP
        touched = contact_fingers(vertices, distance, regions=hand.regions)
        assert touched == grasp.fingers and len(touched) >= 2
        assert "leaf" not in {part for parts in touched.values() for part in parts}
        for caption in grasp.captions:
            if caption.asked or caption.free:
                assert part_agreement(touched, asked=caption.asked, free=caption.free) == 1
    assert (built / RECORD).is_file() and not (built / build.SHARDS).exists()


def test_it_goes_on_where_it_was_stopped(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hands").mkdir()
    shards = tmp_path / "hands" / build.SHARDS
    build.write_json(tmp_path / "hands" / build.BUILD, build.asdict(CONFIG))
    build_object("household/lemon", config=CONFIG, shards=shards, mano=None)
    monkeypatch.setattr(build, "grasps_of", None)
    build_hands(CONFIG, tmp_path / "hands", workers=1)
    first, second = HandDataset(built), HandDataset(tmp_path / "hands")
    assert all(np.array_equal(a.parameters, b.parameters) for a, b in zip(first.grasps, second.grasps, strict=True))
    assert [a.to_json() for a in first.grasps] == [b.to_json() for b in second.grasps]


def test_another_configuration_needs_another_folder(built: Path) -> None:
    with pytest.raises(InputError, match="begun with another seed"):
        build_hands(HandsConfig(("household:lemon",), each=2, seed=1), built, workers=1)
    with pytest.raises(InputError, match="is built already"):
        build_hands(CONFIG, built, workers=1)


def test_a_damaged_shard_says_what_to_do(tmp_path: Path) -> None:
    shards = tmp_path / build.SHARDS
    shards.mkdir()
    (shards / "household--lemon.npz").write_bytes(b"half")
    with pytest.raises(InputError, match="remove it"):
        build_object("household/lemon", config=CONFIG, shards=shards, mano=None)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (HandsConfig(("mug",), each=0), "--each is 0"),
        (HandsConfig(("mug",), instances=0), "--instances is 0"),
        (HandsConfig(("mug",), instances=61), "--instances is 61"),
        (HandsConfig(("mug",), seed=-1), "--seed is -1"),
        (HandsConfig(("unicorn",)), "none of that name"),
        (HandsConfig(("mug",), hand="claw"), "--hand claw"),
    ],
)
def test_what_cannot_be_built_is_one_line(config: HandsConfig, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        build_hands(config, tmp_path / "hands")


def test_objects_are_named_once_each() -> None:
    assert object_ids(HandsConfig(("household:mug", "train:mug", "mug"), instances=2)) == [
        "household/mug", "train/mug-00", "train/mug-01"
    ]  # fmt: skip
    assert len(object_ids(HandsConfig(("household", "train")))) > 100


def test_parts_that_must_not_be_held_are_not_asked_for() -> None:
    knife = thing_of("household/kitchen_knife")
    parts = dict(holdable(knife, solid_of(knife)))
    assert set(parts) == {"handle", "bolster"} and parts["handle"] > parts["bolster"]


def test_pairs_come_as_often_as_their_share() -> None:
    parts = [("handle", 0.6), ("head", 0.2)]
    drawn = Counter(mixture(parts, batches=200, rng=np.random.default_rng(0)))
    assert drawn["handle", REGIONS] == pytest.approx(200 * 0.75 * 0.45, abs=1.5)
    assert drawn["head", FINGERS[:2]] == pytest.approx(200 * 0.25 * 0.2, abs=1.5)
    # A short run, too, has more than one of them.
    assert len(set(mixture(parts, batches=5, rng=np.random.default_rng(0)))) >= 4
