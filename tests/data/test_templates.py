import csv
import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graspwise.data.templates import (
    INSTRUCTIONS,
    REASONING,
    SHIPPED,
    add_reasoning,
    check_reasoning,
    load_instructions,
    load_reasoning,
    reasoning_yaml,
)
from graspwise.errors import InputError

MUG = "This is a mug, open at the top. Pinch its rim, one jaw inside and one outside."
MUG_2 = "I see a mug with a looped handle. Close the jaws over the handle, where it stands off the body."
CUP = "The object is a cup, a hollow cylinder. Grasp its rim from the top, jaws square to the edge."


def test_every_shipped_text_passes_the_check() -> None:
    reasoning = load_reasoning()
    assert len(reasoning) >= 74
    for category, texts in reasoning.items():
        assert len(texts) >= 5, category
        for index, text in enumerate(texts):
            reason = check_reasoning(text, category=category, existing=texts[:index])
            assert reason is None, f"{category}: {text!r}: {reason}"
            assert category in " ".join(text.lower().replace(",", "").split()[:6]), text


def test_no_shipped_text_is_another_with_the_name_swapped() -> None:
    bodies: dict[str, tuple[str, str]] = {}
    for category, texts in load_reasoning().items():
        for text in texts:
            body = text.replace(category, "X")
            assert body not in bodies, f"{text!r} repeats {bodies.get(body)}"
            bodies[body] = (category, text)


def test_shipped_texts_cover_every_category_of_the_cornell_objects() -> None:
    with (SHIPPED.parent / "data" / "cornell_objects.csv").open(encoding="utf-8") as file:
        categories = {row["category"] for row in csv.DictReader(file)}
    assert categories <= set(load_reasoning())


def test_shipped_instructions_are_many_and_short() -> None:
    instructions = load_instructions()
    # "can" is a verb there.
    categories = set(load_reasoning()) - {"object", "can"}
    for texts in (instructions.named, instructions.unnamed):
        assert len(set(texts)) == len(texts) >= 24
        assert all(3 <= len(text.split()) <= 15 for text in texts)
    assert all("mug" in text.format(object="mug") for text in instructions.named)
    for text, category in itertools.product(instructions.unnamed, categories):
        assert f" {category} " not in f" {text.lower().strip('.?')} "


def test_shipped_reasoning_cannot_be_changed_through_what_is_returned() -> None:
    load_reasoning().clear()
    assert load_reasoning()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  \t", "empty"),
        ("This is a mug with 2 handles at its sides. Grip one of the handles across its width.", "digits"),
        ("This is a café mug, open at the top. Pinch its rim, one jaw inside and one outside.", "ASCII"),
        ("This is a mug: open at the top. Pinch its rim, one jaw inside and one outside.", "':'"),
        ("This is a mug [open] at the top. Pinch its rim, one jaw inside and one outside.", "'['"),
        ("This is a mug, open at the top.\nPinch its rim, one jaw inside and one outside.", "'\\n'"),
        ("This is a mug. Grip its rim.", "too short"),
        (MUG + " It is good to be careful with it because it may break.", "too long"),
        ("this is a mug, open at the top. Pinch its rim, one jaw inside and one outside.", "capital"),
        ("This is a mug, open at the top. Pinch its rim, one jaw inside and one outside", "full stop"),
        (CUP, "does not name the mug"),
        (
            "This is a muggy place with a hollow cylinder in it. Grasp the rim from above.",
            "does not name the mug",
        ),
        (
            "This is a mug, a vessel that people use every morning for their tea or coffee.",
            "no word of grasping",
        ),
        (
            "This is a household mug in a picture, full of coffee, on a wooden kitchen table.",
            "no word of grasping",
        ),
        (MUG, "is a duplicate of"),
        (
            "This is a MUG; open at the top. Pinch its rim - one jaw inside, and one outside.",
            "is a duplicate of",
        ),
        (
            "This is a mug, open at its top. Pinch its rim, one jaw inside and one outside.",
            "nearly a duplicate",
        ),
    ],
)
def test_check_rejects(text: str, reason: str) -> None:
    assert reason in (check_reasoning(text, category="mug", existing=[MUG_2, MUG]) or "accepted")


@pytest.mark.parametrize(
    "text",
    [
        MUG,
        "It's a mug; a thick-walled cup with a handle. The gripper should take the handle crosswise.",
        "Mug. Round and hollow, it is lifted most safely when held at its upper edge.",
    ],
)
def test_check_accepts(text: str) -> None:
    assert check_reasoning(text, category="mug", existing=[MUG_2]) is None


@given(st.text(max_size=200))
def test_check_gives_a_reason_of_one_line_for_any_text(text: str) -> None:
    reason = check_reasoning(text, category="mug", existing=[MUG])
    assert reason is None or (reason and "\n" not in reason)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "NoneType at the top"),
        ("- a\n- b\n", "list at the top"),
        ("mug: [a\n", "not valid YAML"),
        ("mug:\n", "mug: found None"),
        ("mug: []\n", "mug: found []"),
        ("mug: Grip it.\n", "mug: found 'Grip it.'"),
        ("mug:\n- 12\n", "mug: found 12"),
        ("mug:\n- ''\n", "mug: found ''"),
        ("mug:\n- |\n  Grip\n  it.\n", "mug: found 'Grip"),
        ("mug:\n- Grip at 3.\n", "'Grip at 3.' is numeric"),
        ("no:\n- Grip it.\n", "False is no name"),
        ("mug:\n- Grip it.\nmug:\n- Hold it.\n", "mug appears 2 times"),
        (b"mug:\n- \xff\xfe\n", "not valid YAML"),
        (b"mug: !!python/object:os.system {}\n", "not valid YAML"),
    ],
)
def test_bad_reasoning_file_is_named_with_what_is_valid(tmp_path: Path, content: str | bytes, found: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        load_reasoning(path)
    message = str(error.value)
    assert str(path) in message and found in message and "\n" not in message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_reasoning(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="no such file"):
        load_instructions(tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("named: ['Grip the {object}.']\n", "valid are exactly named, unnamed"),
        ("named: ['Grip it.']\nunnamed: ['Grip it.']\n", "named: 'Grip it.'"),
        ("named: ['Grip the {thing}.']\nunnamed: ['Grip it.']\n", "named: 'Grip the {thing}.'"),
        ("named: ['Grip {object} and {}.']\nunnamed: ['Grip it.']\n", "no other braces"),
        ("named: ['Grip the {object}.']\nunnamed: ['Grip the {object}.']\n", "without braces"),
        ("named: ['Grip the {object}.']\nunnamed: []\n", "unnamed: found []"),
    ],
)
def test_bad_instruction_file(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        load_instructions(path)
    assert str(path) in str(error.value) and found in str(error.value)


def test_own_files_are_read(tmp_path: Path) -> None:
    reasoning, instructions = tmp_path / "r.yaml", tmp_path / "i.yaml"
    reasoning.write_text(reasoning_yaml({"mug": [MUG, MUG_2]}))
    instructions.write_text("named: ['Get the {object}.']\nunnamed: ['Get it.']\n")
    assert load_reasoning(reasoning) == {"mug": (MUG, MUG_2)}
    assert load_instructions(instructions).unnamed == ("Get it.",)


def test_yaml_has_one_text_a_line_and_quotes_names_that_yaml_reads_otherwise() -> None:
    source = reasoning_yaml({"no": [MUG], "mug": [MUG_2]})
    assert len(source.splitlines()) == 4
    assert yaml.safe_load(source) == {"no": [MUG], "mug": [MUG_2]}


@pytest.mark.parametrize("category", ["cup", "mug", "no"])
@pytest.mark.parametrize(
    "old",
    [
        f"# mine\nmug:\n- {MUG}\n\n# cups\ncup:\n- {CUP}  # said twice\n# end\n",
        f"# mine\nmug:\n    - {MUG}\ncup:\n    - {CUP}\n",
        f"# mine\ncup:\n- {CUP}\nmug:\n- This is a mug, open at the top. Pinch\n  its rim with both jaws.",
    ],
)
def test_adding_keeps_every_other_line(tmp_path: Path, old: str, category: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(old)
    before = load_reasoning(path)
    add_reasoning(path, category=category, texts=[MUG_2])
    assert load_reasoning(path) == {**before, category: (*before.get(category, ()), MUG_2)}
    lines = iter(path.read_text().splitlines())
    assert all(line in lines for line in old.splitlines()), path.read_text()


def test_adding_to_a_file_in_flow_style_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"mug: ['{MUG}']\ncup: ['{CUP}']\n")
    add_reasoning(path, category="mug", texts=[MUG_2])
    assert load_reasoning(path) == {"mug": (MUG, MUG_2), "cup": (CUP,)}


def test_adding_makes_a_new_file_and_refuses_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "own.yaml"
    add_reasoning(path, category="mug", texts=[MUG])
    assert path.read_text() == f"mug:\n- {MUG}\n"
    path.write_text("mug: 3\n")
    with pytest.raises(InputError, match="valid is a list"):
        add_reasoning(path, category="mug", texts=[MUG])
    assert path.read_text() == "mug: 3\n"


def test_the_shipped_files_can_be_added_to(tmp_path: Path) -> None:
    path = tmp_path / "reasoning.yaml"
    path.write_bytes(REASONING.read_bytes())
    add_reasoning(path, category="cup", texts=["A new one."])
    assert len(path.read_text().splitlines()) == len(REASONING.read_text().splitlines()) + 1
    assert INSTRUCTIONS.is_file()
