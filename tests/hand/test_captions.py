"""Captions say what was measured, in words of the templates."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from graspwise.errors import InputError
from graspwise.hand.captions import TEXTS, Facts, captions_of, force_of, load_captions
from graspwise.hand.metrics import part_agreement
from graspwise.hand.model import FINGERS, REGIONS

MUG = ("body", "rim", "handle")
GRASPS = {
    "fist": Facts("mug", MUG, "drink tea", {region: ("handle",) for region in REGIONS}, "firm"),
    "pinch": Facts("mug", MUG, "drink tea", {"thumb": ("rim", "body"), "index": ("rim",)}, "light"),
    "mixed": Facts(
        "mug", MUG, "drink tea", {"thumb": ("rim",), "index": ("body",), "middle": ("body", "rim")}, "light"
    ),
    "partless": Facts("lemon", (), "", {"thumb": (), "index": (), "middle": ()}, "light"),
}


def captions(facts: Facts, count: int = 30) -> list:
    return [caption for seed in range(count) for caption in captions_of(facts, rng=np.random.default_rng(seed))]


@pytest.mark.parametrize("facts", GRASPS.values(), ids=GRASPS)
def test_all_that_is_asked_holds_on_the_grasp(facts: Facts) -> None:
    for caption in captions(facts):
        assert "{" not in caption.text and "  " not in caption.text and caption.text.strip() == caption.text
        if caption.asked or caption.free:
            assert part_agreement(facts.fingers, asked=caption.asked, free=caption.free) == 1
        for _, part in caption.asked:
            assert re.search(rf"\b{part}\b", caption.text)
        for part in caption.free:
            assert re.search(rf"\b{part}\b", caption.text) and part not in facts.touched


@pytest.mark.parametrize("facts", GRASPS.values(), ids=GRASPS)
def test_every_level_is_there_and_no_text_twice(facts: Facts) -> None:
    for seed in range(10):
        found = captions_of(facts, rng=np.random.default_rng(seed))
        assert {caption.level for caption in found} == {"low", "high", "talk"}
        assert len({caption.text for caption in found}) == len(found) <= 6
    assert len({caption.text for caption in captions(facts)}) > 30


def test_low_names_every_finger_that_touches() -> None:
    for caption in captions(GRASPS["mixed"]):
        if caption.level == "low":
            assert set(caption.asked) == {("thumb", "rim"), ("index", "body"), ("middle", "body")}


def test_two_fingers_are_said_of_two_fingers_only() -> None:
    said = {name: " ".join(c.text for c in captions(facts) if c.level == "talk") for name, facts in GRASPS.items()}
    assert "two fingers" in said["pinch"] and "palm" not in said["fist"]
    assert not any("two fingers" in said[name] for name in ("fist", "mixed", "partless"))
    assert "three fingers" in said["mixed"] and "whole hand" in said["fist"]


@pytest.mark.parametrize(
    ("parts", "use", "touched", "count", "force", "purpose"),
    [
        (MUG, "drink tea", "handle", 3, "light", "use"),
        (MUG, "drink tea", "handle", 2, "light", "carry"),
        (MUG, "drink tea", "rim", 3, "light", "pass"),
        (("body", "cap"), "drink water", "cap", 2, "light", "open"),
        (("body", "cap"), "drink water", "body", 5, "firm", "use"),
        (("body", "cap"), "drink water", "body", 5, "light", "carry"),
        (MUG, "", "handle", 5, "firm", "carry"),
    ],
)
def test_the_held_part_tells_what_for(
    parts: tuple[str, ...], use: str, touched: str, count: int, force: str, purpose: str
) -> None:
    assert Facts("thing", parts, use, dict.fromkeys(FINGERS[:count], (touched,)), force).purpose == purpose


def test_a_grip_of_power_is_firm() -> None:
    assert force_of({region: ("body",) for region in REGIONS}) == "firm"
    assert force_of({finger: ("body",) for finger in FINGERS}) == "light"
    assert force_of({"thumb": (), "palm": ()}) == "light"


def test_a_hand_that_touches_nothing_has_no_caption() -> None:
    with pytest.raises(ValueError, match="touches nothing"):
        captions_of(Facts("mug", MUG, "", {}, "light"), rng=np.random.default_rng(0))


DAMAGES: list[tuple[Callable[[dict], object], str]] = [
    (lambda texts: texts.pop("low"), "found"),
    (lambda texts: texts["low"].append("Hold it."), "low: 'Hold it.'; valid"),
    (lambda texts: texts["low"].append("{object} {contacts} {colour}"), "valid is a text with"),
    (lambda texts: texts["high"].pop("named"), "high: found"),
    (lambda texts: texts["talk"]["free"].append("let go"), "talk: free: 'let go'"),
    (lambda texts: texts.update(names=["thumb"]), "names: found"),
    (lambda texts: texts["force"].update(firm=[]), "force: firm: found"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: Callable[[dict], object], says: str) -> None:
    texts = yaml.safe_load(TEXTS.read_text())
    damage(texts)
    path = tmp_path / "texts.yaml"
    path.write_text(yaml.safe_dump(texts))
    with pytest.raises(InputError, match=re.escape(says)):
        load_captions(path)
