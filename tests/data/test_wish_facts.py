import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.graspnet import CATEGORIES
from graspwise.data.wish_facts import (
    FACTS,
    Need,
    Target,
    Thing,
    held_parts,
    is_decidable,
    load_facts,
    meets,
    right_targets,
    serves,
    shipped_facts,
)
from graspwise.errors import InputError
from graspwise.sim.catalogue import FAMILIES, HOUSEHOLD, thing_of
from graspwise.sim.shapes import SimObject

MUG = Thing(1, "mug", "red mug", "ceramic", ("body", "rim", "handle"))
BOTTLE = Thing(2, "bottle", "blue bottle", "plastic", ("body", "neck", "cap"))
HAMMER = Thing(3, "hammer", "wooden-handled hammer", "wood", ("handle", "head"), ("claw",))
SPOON = Thing(4, "spoon", "wooden spoon", "wood", ("handle", "bowl"))
SCISSORS = Thing(5, "scissors", "red scissors", "steel", ("handles", "screw"), ("blades",))
SOUP_CAN = Thing(6, "can", "green soup can", "metal", ("body", "lid", "tab"))
DRINK_CAN = Thing(7, "can", "green drink can", "metal", ("body", "lid", "tab"))
BOWL = Thing(8, "bowl", "black bowl", "ceramic", ("body", "rim"))
KITCHEN_KNIFE = Thing(9, "knife", "black kitchen knife", "steel", ("handle", "bolster"), ("blade",))
TABLE_KNIFE = Thing(10, "knife", "table knife with a wooden handle", "steel", ("handle",), ("blade",))
UNHEARD = Thing(11, "unheard of", "blue unheard of", "", ())
DRINK, SILVER = Need(purpose="drink"), Need(state="for the cutlery drawer")


def simulated() -> list[tuple[str, SimObject]]:
    families = [("train", thing_of(f"train/{name}-{number:02d}")) for name in FAMILIES for number in (0, 7, 19)]
    return [*families, *(("household", thing) for thing in HOUSEHOLD.values())]


def as_thing(index: int, made: SimObject) -> Thing:
    return Thing(
        index, made.category, made.description, made.material,
        tuple(part.name for part in made.parts if not part.avoid), tuple(p.name for p in made.parts if p.avoid),
    )  # fmt: skip


MADE = [as_thing(index + 1, made) for index, (_, made) in enumerate(simulated())]
NEEDS = [
    *(Need(purpose=purpose) for purpose in shipped_facts().purposes),
    *(Need(state=state) for state in shipped_facts().states),
    *(Need(material=material) for material in shipped_facts().materials),
    *(Need(purpose=p, part_role=r) for p in ("hot drink", "drive nails", "open cans") for r in shipped_facts().roles),
    *(Need(category=name) for name in ("mug", "red mug", "bottle", "knife")),
    *(Need(category=name, part="handle") for name in ("mug", "hammer", "knife")),
    Need(),
]
needs, scenes = st.sampled_from(NEEDS), st.lists(st.sampled_from(MADE), max_size=8, unique_by=lambda thing: thing.index)


def test_an_entry_of_a_scene_becomes_a_thing_whose_forbidden_parts_are_no_parts() -> None:
    parts = [{"name": "handle", "index": 4, "avoid": False}, {"name": "blade", "index": 5, "avoid": True}]
    entry = {"index": 2, "category": "knife", "description": "black knife", "material": "steel", "parts": parts}
    assert Thing.of(entry) == Thing(2, "knife", "black knife", "steel", ("handle",), ("blade",))
    del entry["material"]
    assert Thing.of(entry).material == ""
    with pytest.raises(KeyError):
        Thing.of({"index": 2})


@pytest.mark.parametrize(
    ("need", "things", "targets"),
    [
        (DRINK, [MUG, HAMMER], [Target(1, "mug", None)]),
        (DRINK, [MUG, BOTTLE, HAMMER], [Target(1, "mug", None), Target(2, "bottle", None)]),
        (DRINK, [HAMMER], []),
        (DRINK, [], []),
        (DRINK, [DRINK_CAN, SOUP_CAN], [Target(7, "green drink can", None)]),
        (Need(purpose="stored food"), [SOUP_CAN], [Target(6, "can", None)]),
        (Need(purpose="hot drink", part_role="hold"), [MUG, BOTTLE], [Target(1, "mug", "handle")]),
        (Need(purpose="hot drink", part_role="offer"), [MUG], [Target(1, "mug", "body")]),
        (Need(purpose="cut paper", part_role="hold"), [SCISSORS], [Target(5, "scissors", "handles")]),
        (Need(category="hammer", part="claw"), [HAMMER], []),
        (Need(category="hammer", part="head"), [HAMMER, MUG], [Target(3, "hammer", "head")]),
        (Need(category="wooden spoon"), [SPOON], [Target(4, "spoon", None)]),
        (Need(material="wood"), [BOWL, MUG], []),
        (Need(material="ceramic"), [BOWL, BOTTLE], [Target(8, "bowl", None)]),
        (Need(), [MUG, HAMMER], [Target(1, "mug", None), Target(3, "hammer", None)]),
    ],
)
def test_the_right_targets_are_those_that_the_facts_say(need: Need, things: list[Thing], targets: list[Target]) -> None:
    assert right_targets(need, things) == targets


@pytest.mark.parametrize(
    ("need", "thing", "answer"),
    [
        (DRINK, BOWL, "perhaps"),
        (DRINK, SOUP_CAN, "no"),
        (Need(purpose="hot drink", part_role="hold"), replace(MUG, parts=("body",)), "perhaps"),
        (Need(material="wood"), HAMMER, "perhaps"),
        (Need(material="wood"), SPOON, "perhaps"),
        (Need(material="wood"), replace(BOWL, material="wood"), "yes"),
        (Need(material="wood"), replace(BOWL, material=""), "perhaps"),
        (Need(material="metal"), SOUP_CAN, "yes"),
        (Need(category="bottle"), Thing(1, "spray bottle", "blue spray bottle", "", ()), "perhaps"),
        (Need(category="spray bottle"), BOTTLE, "no"),
        (Need(category="cup"), MUG, "perhaps"),
        (Need(category="blue mug"), MUG, "no"),
        (Need(category="red mug"), replace(MUG, description="red and white mug"), "perhaps"),
        (Need(category="orange"), Thing(1, "pencil", "orange pencil", "wood", ()), "no"),
        (Need(state="filled"), replace(MUG, avoid=("drink",)), "yes"),
        (Need(state="filled"), MUG, "no"),
        (Need(state="filled"), BOTTLE, "perhaps"),
        (Need(purpose="spoon up"), SPOON, "perhaps"),
        (Need(purpose="stir"), SPOON, "yes"),
        (Need(purpose="spoon up"), replace(SPOON, description="blue spoon", material="plastic"), "yes"),
        (SILVER, replace(SPOON, description="blue spoon", material="plastic"), "perhaps"),
        (SILVER, replace(SPOON, description="steel spoon", material="steel"), "yes"),
        (SILVER, replace(SPOON, description="steel serving spoon", material="steel"), "perhaps"),
        (SILVER, SPOON, "perhaps"),
        (SILVER, KITCHEN_KNIFE, "perhaps"),
        (Need(purpose="spread butter"), KITCHEN_KNIFE, "perhaps"),
        (Need(purpose="cut food"), KITCHEN_KNIFE, "yes"),
        (Need(state="sharp"), KITCHEN_KNIFE, "yes"),
        (SILVER, TABLE_KNIFE, "yes"),
        (Need(purpose="spread butter"), TABLE_KNIFE, "yes"),
        (Need(state="sharp"), TABLE_KNIFE, "perhaps"),
        (Need(material="metal"), Thing(1, "tongs", "tongs with red tips", "steel", ()), "perhaps"),
        (Need(material="metal"), Thing(1, "can opener", "can opener with red handles", "steel", ()), "perhaps"),
        (Need(material="rubber"), Thing(1, "ball", "white golf ball", "rubber", ()), "perhaps"),
        (Need(material="rubber"), Thing(1, "ball", "pink tennis ball", "rubber", ()), "perhaps"),
        (Need(material="rubber"), Thing(1, "ball", "red rubber ball", "rubber", ()), "yes"),
        (Need(state="filled"), DRINK_CAN, "perhaps"),
        (Need(state="crockery"), Thing(1, "toy cup", "toy cup", "", ()), "perhaps"),
        (DRINK, Thing(1, "beverage", "beverage", "", ()), "perhaps"),
        (Need(purpose="wash hair"), Thing(1, "body wash", "body wash", "", ()), "perhaps"),
        (Need(purpose="moisturise"), Thing(1, "cosmetic tube", "cosmetic tube", "", ()), "perhaps"),
        (Need(purpose="play"), Thing(1, "toy part", "toy part", "", ()), "perhaps"),
        (DRINK, UNHEARD, "perhaps"),
        (Need(state="sharp"), UNHEARD, "perhaps"),
        (Need(material="glass"), replace(UNHEARD, material="wood"), "perhaps"),
        (Need(category="mug"), UNHEARD, "no"),
        (Need(category="unheard of"), UNHEARD, "yes"),
        (Need(category="mug"), Thing(1, "object", "object", "", ()), "perhaps"),
        (Need(), Thing(1, "object", "object", "", ()), "yes"),
    ],
)
def test_what_one_may_argue_about_is_told_apart(need: Need, thing: Thing, answer: str) -> None:
    assert meets(need, thing) == answer
    assert serves(need, thing) == (answer == "yes")
    assert is_decidable(need, [thing]) == (answer != "perhaps")


@given(needs, scenes, scenes)
def test_more_in_view_never_makes_a_right_target_wrong(need: Need, things: list[Thing], more: list[Thing]) -> None:
    def places(seen: list[Thing]) -> set[tuple[int, str | None]]:
        return {(target.index, target.part) for target in right_targets(need, seen)}

    known = {thing.index for thing in things}
    assert places(things) <= places([*things, *(thing for thing in more if thing.index not in known)])


@given(needs, scenes)
def test_a_target_is_in_view_serves_and_is_no_forbidden_part(need: Need, things: list[Thing]) -> None:
    by_index = {thing.index: thing for thing in things}
    for target in right_targets(need, things):
        thing = by_index[target.index]
        assert serves(need, thing)
        assert target.name in (thing.category, thing.description)
        assert target.part is None or (target.part in thing.parts and target.part not in thing.avoid)
        assert (target.part is None) == (need.part is None and need.part_role is None)


@given(needs, scenes)
def test_the_order_of_things_does_not_matter(need: Need, things: list[Thing]) -> None:
    assert {*right_targets(need, things)} == {*right_targets(need, things[::-1])}
    assert is_decidable(need, things) == is_decidable(need, things[::-1])


def test_every_simulated_category_has_facts_and_serves_something() -> None:
    facts = shipped_facts().categories
    for set_name, made in simulated():
        assert set_name in facts[made.category].sets, made.category
        assert shipped_facts().of(as_thing(1, made)).serves, made.description
    in_sets = {s: {made.category for name, made in simulated() if name == s} for s in ("train", "household")}
    for name, entry in facts.items():
        assert {s for s in in_sets if name in in_sets[s]} == entry.sets - {"graspnet", "graspnet-test"}, name


def test_looks_are_descriptions_of_simulated_things_of_training_where_there_are_any() -> None:
    seen: dict[str, set[str]] = {}
    for made in (thing_of(f"train/{name}-{number:02d}") for name in FAMILIES for number in range(20)):
        seen.setdefault(made.category, set()).add(made.description)
    for made in HOUSEHOLD.values():
        if "train" not in shipped_facts().categories[made.category].sets:
            seen.setdefault(made.category, set()).add(made.description)
    for name, entry in shipped_facts().categories.items():
        assert set(entry.looks) <= seen.get(name, set()), name
        assert entry.looks or not entry.sets & {"train", "household"}, name


def test_roles_are_those_of_simulated_parts_that_may_be_held() -> None:
    known: dict[str, set[str]] = {}
    for thing in MADE:
        known.setdefault(thing.category, set()).update(thing.parts)
    # These show in instances other than the three that are made here.
    more = [thing_of(f"train/{n}-{i:02d}") for n in ("hammer", "hex_key", "notebook") for i in range(30)]
    for thing in (as_thing(1, made) for made in more):
        known[thing.category].update(thing.parts)
    for name, entry in shipped_facts().categories.items():
        assert set(entry.parts) <= known.get(name, set()), name
    knife = Thing(1, "knife", "black knife", "steel", ("handle", "bolster"), ("blade",))
    assert held_parts(Need(part_role="hold"), knife) == ["handle"]


def test_every_purpose_is_served_and_the_facts_do_not_contradict_themselves() -> None:
    facts = shipped_facts()
    entries = [(name, entry) for name, base in facts.categories.items() for entry in (base, *base.kinds.values())]
    assert set(facts.purposes) == {purpose for _, entry in entries for purpose in entry.serves}
    for name, entry in entries:
        assert not entry.serves & entry.may_serve, name
        assert not entry.states & entry.may_be, name


def test_graspnet_objects_have_facts() -> None:
    facts = shipped_facts().categories
    named = {*CATEGORIES.values(), "toy part"}
    assert named == {name for name, entry in facts.items() if entry.sets & {"graspnet", "graspnet-test"}}
    assert all(not {"graspnet", "graspnet-test"} <= entry.sets for entry in facts.values())
    for name in ("cracker box", "tomato soup can", "sugar box", "banana", "power drill", "toy elephant", "shampoo"):
        assert facts[name].serves
    # What nobody knows may be anything.
    assert "object" not in facts


def test_reasons_do_not_name_what_they_lead_to() -> None:
    facts = shipped_facts()
    for name, base in facts.categories.items():
        for entry in (base, *base.kinds.values()):
            words = [facts.purposes[purpose] for purpose in entry.serves] + [facts.states[s] for s in entry.states]
            for said in words:
                assert not re.search(rf"\b{name}\b", f"{said.want} {said.fact}"), (name, said)


def changed(change: Callable[[dict], object]) -> str:  # type: ignore[type-arg]
    content = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    change(content)
    return str(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a list", "found list at the top"),
        ("mug: [", "not valid YAML"),
        ("purposes: {}", "valid are exactly purposes, states"),
        ("roles: {}\nroles: {}", "roles appears 2 times"),
        (changed(lambda c: c["categories"]["mug"]["serves"].append("fly")), "mug: found 'fly'"),
        (changed(lambda c: c["categories"]["mug"].update(sets=["attic"])), "valid are the sets: train"),
        (changed(lambda c: c["categories"]["mug"]["parts"].update(rim=["fly"])), "mug: found 'fly'"),
        (changed(lambda c: c["categories"]["mug"].update(also=["beaker"])), "mug: found 'beaker'"),
        (changed(lambda c: c["categories"]["mug"].update(use=["drink"])), "found 'use' in a category"),
        (changed(lambda c: c["purposes"].update(drink={"want": "drink"})), "fact"),
        (changed(lambda c: c.update(categories=["mug"])), "valid are entries"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(reason)) as error:
        load_facts(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(InputError, match="no such file"):
        load_facts(Path("nowhere.yaml"))
