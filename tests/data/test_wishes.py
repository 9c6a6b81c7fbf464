import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graspwise.answer import target_of
from graspwise.data.wish_facts import Need, SetName, Target, Thing, is_decidable, meets, right_targets, shipped_facts
from graspwise.data.wish_texts import WISHES, shipped_texts
from graspwise.data.wishes import (
    KINDS,
    Kind,
    Wish,
    any_wish,
    explicit_wish,
    load_wishes,
    plain,
    polite,
    reason_text,
    refusable_wish,
    refusal_text,
    wishes_about,
)
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.sim.catalogue import FAMILIES, HOUSEHOLD, thing_of
from graspwise.sim.shapes import SimObject

RESULTS = Path(__file__).resolve().parents[2] / "results" / "wishes"
IMPLICIT = [wish for wish in load_wishes() if wish.kind.endswith("implicit")]
MUG = Thing(1, "mug", "red mug", "ceramic", ("body", "rim", "handle"))


def as_thing(index: int, made: SimObject) -> Thing:
    return Thing(
        index, made.category, made.description, made.material,
        tuple(part.name for part in made.parts if not part.avoid), tuple(p.name for p in made.parts if p.avoid),
    )  # fmt: skip


SIM: tuple[set[SetName], set[SetName]] = ({"train"}, {"train", "household"})
MADE = [as_thing(n + 1, made) for n, made in enumerate([thing_of(f"train/{f}-03") for f in FAMILIES])]
MADE += [as_thing(n + 200, made) for n, made in enumerate(HOUSEHOLD.values())]
scenes = st.lists(st.sampled_from(MADE), max_size=8, unique_by=lambda thing: thing.category)
seeds, kinds = st.integers(0, 2**32 - 1), st.sampled_from(KINDS)
texts = st.sampled_from([wish.text for wish in load_wishes()])


def bare(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", plain(text).lower()))


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_there_are_as_many_implicit_wishes_as_published_all_different_without_their_frames() -> None:
    assert len(IMPLICIT) >= 1730
    assert sum(wish.kind == "part implicit" for wish in IMPLICIT) >= 500
    assert len({bare(wish.text) for wish in load_wishes()}) == len(load_wishes())
    assert all(plain(wish.text) == wish.text for wish in load_wishes())


def test_texts_are_plain_sentences() -> None:
    for wish in load_wishes():
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]*[.?]", wish.text), wish.text
        assert 2 <= len(wish.text.split()) <= 22, wish.text


def test_testing_shares_no_text_no_family_and_no_opening_with_training() -> None:
    sides = [[wish for wish in IMPLICIT if wish.test == test] for test in (False, True)]
    for key in (
        lambda wish: bare(wish.text),
        lambda wish: wish.family,
        lambda wish: " ".join(bare(wish.text).split()[:3]),
    ):
        training, testing = ({key(wish) for wish in side} for side in sides)
        assert not training & testing
    families = {wish.family: wish.test for wish in IMPLICIT}
    assert 0.2 < sum(families.values()) / len(families) < 0.3
    for kind in ("object explicit", "part explicit"):
        training, testing = ({text for _, text in shipped_texts().explicit[kind, test]} for test in (False, True))
        assert not training & testing and len(training) >= 15 and len(testing) >= 6


def test_every_need_is_said_in_training_and_in_testing() -> None:
    training, testing = ({wish.need for wish in IMPLICIT if wish.test == test} for test in (False, True))
    assert training == testing
    facts = shipped_facts()
    assert {need.purpose for need in training if need.part_role is None} == {None, *facts.purposes}
    assert {need.state for need in training} == {None, *facts.states}
    assert {need.material for need in training} == {None, *facts.materials}


def test_wishes_for_an_object_do_not_name_what_serves_them() -> None:
    for wish in IMPLICIT:
        if wish.kind == "object implicit":
            for name, base in shipped_facts().categories.items():
                # "can" is a verb there.
                if name != "can" and any(
                    wish.need.purpose in e.serves or wish.need.state in e.states for e in (base, *base.kinds.values())
                ):
                    assert not re.search(rf"\b{name}s?\b", wish.text.lower()), wish.text


@pytest.mark.parametrize("wish", [w for w in IMPLICIT if w.kind == "part implicit" and w.family.endswith(": need")])
def test_every_part_wish_has_a_simulated_part(wish: Wish) -> None:
    pool = [*MADE, *(as_thing(1, thing_of(f"train/{f}-{i:02d}")) for f in ("corkscrew", "hex_key") for i in range(9))]
    assert any(meets(wish.need, thing) == "yes" for thing in pool)


@given(scenes, kinds, st.booleans(), seeds)
def test_a_wish_about_things_is_decidable_among_them(things: list[Thing], kind: Kind, test: bool, seed: int) -> None:
    wish = wishes_about(things, kind=kind, test=test, rng=generator(seed))
    if wish is None:
        assert kind != "object explicit" or not things
        return
    assert (wish.kind, wish.test) == (kind, test)
    targets = right_targets(wish.need, things)
    assert targets and is_decidable(wish.need, things)
    assert len(things) == 1 or len({target.index for target in targets}) < len(things)
    assert all((target.part is not None) == kind.startswith("part") for target in targets)
    assert wish == wishes_about(things, kind=kind, test=test, rng=generator(seed))


@given(scenes, st.booleans(), seeds)
def test_nothing_in_view_serves_a_refusable_wish(things: list[Thing], test: bool, seed: int) -> None:
    wish = refusable_wish(things, sets=SIM[test], test=test, rng=generator(seed))
    assert wish is not None and wish.test == test
    assert right_targets(wish.need, things) == [] and is_decidable(wish.need, things)


def test_what_is_refused_in_training_is_there_in_other_training_scenes() -> None:
    rng = generator(0)
    training = [thing for thing in MADE if thing.index < 200]
    training += [as_thing(1, thing_of(f"train/{f}-{n:02d}")) for f in ("can", "corkscrew", "mug") for n in range(12)]
    training += [
        Thing(1, name, look, "", ())
        for name, facts in shipped_facts().categories.items()
        for look in facts.looks
        if "train" in facts.sets
    ]
    seen = Counter()
    for _ in range(300):
        wish = refusable_wish([MUG], sets={"train"}, test=False, rng=rng)
        assert wish is not None
        seen[wish.kind] += 1
        assert any(meets(wish.need.whole, thing) == "yes" for thing in training), wish
    assert set(seen) == set(KINDS)


def test_what_is_refused_by_name_is_described_as_often_as_what_is_served() -> None:
    rng, categories = generator(0), shipped_facts().categories
    said: Counter[bool] = Counter()
    for _ in range(600):
        wish = refusable_wish([MUG], sets={"train"}, test=False, rng=rng)
        assert wish is not None
        if wish.need.category is not None:
            said[wish.need.category in categories] += 1
            assert wish.need.category in categories or any(wish.need.category in e.looks for e in categories.values())
    assert 0.4 < said[True] / said.total() < 0.6


@pytest.mark.parametrize(("sets", "test"), [({"graspnet"}, False), ({"graspnet", "graspnet-test"}, True)])
def test_what_is_refused_in_graspnet_is_there_in_other_of_its_scenes(sets: set[SetName], test: bool) -> None:
    rng, facts = generator(1), shipped_facts()
    others = [Thing(1, name, name, "", ()) for name, entry in facts.categories.items() if entry.sets & sets]
    mug, seen = replace(MUG, description="mug", material="", parts=()), Counter[str]()
    for _ in range(300):
        wish = refusable_wish([mug], sets=sets, test=test, rng=rng)
        assert wish is not None
        seen[wish.kind] += 1
        assert any(meets(wish.need, thing) == "yes" for thing in others), wish
    # It tells no parts, so that no wish about one is ever served there.
    assert set(seen) == {"object explicit", "object implicit"}


def test_nothing_is_refused_beside_what_may_be_anything() -> None:
    unknown = Thing(1, "object", "object", "", ())
    assert refusable_wish([unknown, MUG], sets={"train"}, test=False, rng=generator(0)) is None


@given(scenes.filter(bool), kinds, st.booleans(), seeds)
def test_a_reason_names_its_target_once_and_is_short(things: list[Thing], kind: Kind, test: bool, seed: int) -> None:
    rng = generator(seed)
    wish = wishes_about(things, kind=kind, test=test, rng=rng)
    if wish is None:
        return
    for target in right_targets(wish.need, things):
        thing = next(thing for thing in things if thing.index == target.index)
        reason = reason_text(wish, target, thing, rng)
        named = target.name if target.part is None else f"{target.part} of the {target.name}"
        assert reason.count(f"[SPT] {named} [SPT]") == 1 and reason.count("[SPT]") == 2
        if thing.category == target.name:
            assert not re.search(rf"\b{target.name}\b", reason.partition("[SPT]")[0])
        said, name = target_of(reason)
        assert name == target.name and len(said.split()) <= 32
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]*\.", said)


def test_a_reason_says_the_fact_that_makes_the_wish_true() -> None:
    wish = next(wish for wish in IMPLICIT if wish.text == "I am thirsty.")
    said = {reason_text(wish, Target(1, "mug", None), MUG, generator(seed)) for seed in range(30)}
    assert "You want to drink something, and this holds a drink, so here is the [SPT] mug [SPT]." in said
    assert all("holds a drink" in reason for reason in said) and len(said) >= 3
    with pytest.raises(ValueError, match="is not thing"):
        reason_text(wish, Target(2, "mug", None), MUG, generator(0))


def test_refusals_say_what_is_missing_and_name_no_target() -> None:
    wish = next(wish for wish in IMPLICIT if wish.text == "I am thirsty.")
    assert {"Nothing here serves to drink something."} < {refusal_text(wish, generator(seed)) for seed in range(30)}
    for seed in range(60):
        wish = refusable_wish([MUG], sets=SIM[seed % 2], test=bool(seed % 2), rng=generator(seed))
        assert wish is not None
        text = refusal_text(wish, generator(seed))
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]*\.", text) and len(text.split()) <= 20
    with pytest.raises(ValueError, match="met by anything"):
        refusal_text(any_wish(generator(0), test=False), generator(0))


@given(scenes, st.booleans(), seeds)
def test_a_wish_that_names_no_target_is_met_by_everything(things: list[Thing], test: bool, seed: int) -> None:
    wish = any_wish(generator(seed), test=test)
    assert wish.need == Need() and wish.kind == "object explicit" and wish.test == test
    assert [target.index for target in right_targets(wish.need, things)] == [thing.index for thing in things]
    for target, thing in zip(right_targets(wish.need, things), things, strict=True):
        assert f"[SPT] {target.name} [SPT]" in reason_text(wish, target, thing, generator(seed))


def test_wishes_without_a_target_do_not_name_one_of_the_simulated_things() -> None:
    for wish in load_wishes():
        if wish.need == Need():
            assert not {*bare(wish.text).split()} & ({thing.category for thing in MADE} - {"can"}), wish.text


@given(texts, seeds)
def test_polite_frames_go_on_and_come_off(text: str, seed: int) -> None:
    framed = polite(text, generator(seed))
    assert framed != text and text in framed
    assert plain(framed) == text == plain(text)
    assert plain(polite(framed, generator(seed + 1))) == text


def test_explicit_wishes_name_the_thing_by_category_or_description_and_its_part() -> None:
    said = {explicit_wish("part explicit", MUG, "handle", generator(seed), test=False).text for seed in range(200)}
    assert any("red mug" in text for text in said) and any("the mug" in text for text in said)
    assert all("handle" in text and "mug" in text and "{" not in text for text in said)
    for kind, part in (("object explicit", "handle"), ("part explicit", None), ("object implicit", None)):
        with pytest.raises(ValueError, match="valid are"):
            explicit_wish(kind, MUG, part, generator(0), test=False)  # type: ignore[arg-type]


def test_an_unknown_object_is_not_asked_for_by_name() -> None:
    unknown = Thing(1, "object", "object", "", ())
    assert wishes_about([unknown], kind="object explicit", test=False, rng=generator(0)) is None
    # It may be a mug, too.
    assert wishes_about([unknown, replace(MUG, index=2)], kind="object explicit", test=False, rng=generator(0)) is None


def test_no_two_shipped_wishes_were_measured_to_say_the_same() -> None:
    measured, read = read_json(RESULTS / "texts.json"), read_json(RESULTS / "read.json")
    texts = "\n".join(wish.text for wish in IMPLICIT)
    assert measured["sha256"] == hashlib.sha256(texts.encode()).hexdigest(), "run benchmarks/wish_texts.py again"
    assert measured["implicit"] == measured["distinct"] == len(IMPLICIT)
    assert measured["pairs_above"] == 0 and measured["largest_cosine"] <= measured["alike"] == 0.95
    assert read["read_one_by_one"] >= 200


def changed(change: Callable[[dict], object]) -> str:  # type: ignore[type-arg]
    content = yaml.load(WISHES.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    change(content)
    return str(yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a list", "found list at the top"),
        (changed(lambda c: c.pop("any")), "valid are exactly ways, explicit, any"),
        (changed(lambda c: c["purpose"].update(fly=c["purpose"]["drink"])), "purpose: found 'fly'"),
        (changed(lambda c: c["part"].update({"drink + fly": {}})), "part: found 'drink + fly'"),
        (changed(lambda c: c["purpose"]["drink"].update(sung=["La."])), "found 'sung'; valid are the ways need"),
        (changed(lambda c: c["purpose"]["drink"].update(need=[])), "purpose: drink: need: found []"),
        (changed(lambda c: c["purpose"]["drink"]["need"].append("I want 2 drinks.")), "has '2'"),
        (changed(lambda c: c["purpose"]["drink"]["need"].append("I want [SPT].")), "has '['"),
        (changed(lambda c: c["purpose"]["drink"]["need"].append("I want the {object}.")), "no braces"),
        (changed(lambda c: c["purpose"]["drink"]["need"].append("I am hungry!")), "give each text once"),
        (changed(lambda c: c["explicit"]["part"]["training"]["order"].append("Take the {object}.")), "each of"),
        (changed(lambda c: c["reasons"]["purpose"].append("Here you are.")), "reasons: purpose"),
        (changed(lambda c: c["frames"].update(before="Hello.")), "frames: before: found 'Hello.'"),
        (changed(lambda c: c.update(purpose=["drink"])), "valid is a mapping"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "wishes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(reason)) as error:
        load_wishes(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_a_file_of_ones_own_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "wishes.yaml"
    path.write_text(changed(lambda c: c["purpose"]["drink"]["story"].append("Somebody must drink.")), encoding="utf-8")
    assert {*load_wishes(path)} - {*load_wishes()} == {
        Wish("Somebody must drink.", "object implicit", "drink: story", Need(purpose="drink"), True)
    }
