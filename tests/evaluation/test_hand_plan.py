"""What the benchmark of hands asks, drawn from a small data set."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from hand_drawn import write_drawn_hands

from graspwise.errors import InputError
from graspwise.evaluation.hand_plan import HandBenchmarkConfig, digest, objects_to_test, questions_of, spread
from graspwise.hand.grasps import HandDataset
from graspwise.hand.metrics import part_agreement


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> HandDataset:
    return HandDataset(write_drawn_hands(tmp_path_factory.mktemp("plan"), objects=4))


def test_objects_that_nobody_learned_from(dataset: HandDataset) -> None:
    assert objects_to_test(dataset, ["drawn/club-0", "drawn/club-2"]) == ["drawn/club-1", "drawn/club-3"]
    with pytest.raises(InputError, match="trained on all of its objects"):
        objects_to_test(dataset, list(dataset.objects))


def test_grasps_are_spread_over_objects(dataset: HandDataset) -> None:
    objects = list(dataset.objects)
    found = spread(dataset, objects, seed=3)
    assert sorted(found) == list(range(8)) and found == spread(dataset, objects, seed=3)
    assert found != spread(dataset, objects, seed=4)
    assert len({dataset.grasps[number].object_id for number in found[:4]}) == 4


def test_questions_are_levels_in_turn_and_can_be_checked(dataset: HandDataset) -> None:
    config = HandBenchmarkConfig()
    found = questions_of(dataset, list(dataset.objects), config)
    assert len(found) == 8 and Counter(q.level for q in found) == {"low": 3, "high": 3, "talk": 2}
    assert found[:3] == questions_of(dataset, list(dataset.objects), HandBenchmarkConfig(count=3))
    for question in found:
        grasp = dataset.grasps[question.number]
        assert question.asked or question.free
        assert question.sentence in {c.text for c in grasp.captions if c.level == question.level}
        assert bool(question.before) == (question.level == "talk")
        if question.before:
            [other] = [g for g in dataset.grasps if g is not grasp and g.object_id == question.object_id]
            assert question.before in {c.text for c in other.captions}
            assert part_agreement(other.fingers, asked=question.asked, free=question.free) < 1
    assert digest(found) != digest(found[1:]) and digest([1, 2]) != digest(["1", "2"])
    assert asdict(found[0])["number"] == found[0].number


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (HandBenchmarkConfig(count=0), "--count is 0"),
        (HandBenchmarkConfig(simulated=-1), "--simulated is -1"),
        (HandBenchmarkConfig(pictured=-2), "--pictured is -2"),
        (HandBenchmarkConfig(seed=-1), "--seed is -1"),
    ],
)
def test_numbers_that_are_not_valid(config: HandBenchmarkConfig, message: str) -> None:
    with pytest.raises(InputError, match=message):
        config.check()


def test_captions_without_parts_ask_nothing(tmp_path: Path) -> None:
    from hands_on_solids import draw_hands

    data = HandDataset(draw_hands(tmp_path / "plain", objects=3, each=1))
    with pytest.raises(InputError, match="no caption of the test objects names a part"):
        questions_of(data, list(data.objects), HandBenchmarkConfig())
