import pytest

from graspwise.conversation import INSTRUCTION_LIMIT, assistant_turn, check_instruction, text_of, to_llava, user_turn
from graspwise.errors import InputError


def test_an_instruction_is_one_line() -> None:
    assert check_instruction("  Pick up\n the\t mug ") == "Pick up the mug"
    assert check_instruction("a" * INSTRUCTION_LIMIT) == "a" * INSTRUCTION_LIMIT
    assert check_instruction("Reich mir die Säge 🪚") == "Reich mir die Säge 🪚"


@pytest.mark.parametrize("instruction", ["", " ", "\n\t\u00a0"])
def test_an_empty_instruction_is_refused(instruction: str) -> None:
    with pytest.raises(InputError, match="the instruction is empty; say what to pick up"):
        check_instruction(instruction)


@pytest.mark.parametrize("length", [INSTRUCTION_LIMIT + 1, 10_000])
def test_a_long_instruction_is_refused(length: int) -> None:
    with pytest.raises(InputError, match=f"has {length} characters; valid is 1 to 2000"):
        check_instruction("a" * length)


def test_the_picture_comes_first() -> None:
    image, text = {"type": "image"}, {"type": "text", "text": "Pick up the mug"}
    assert user_turn("Pick up the mug") == {"role": "user", "content": [image, text]}
    assert user_turn("Pick up the mug", image=False) == {"role": "user", "content": [text]}
    assert assistant_turn("Pick up the mug") == {"role": "assistant", "content": [text]}


def test_text_of_a_message() -> None:
    assert text_of(user_turn("Pick up the mug")) == "Pick up the mug"
    assert text_of({"role": "user", "content": "Pick up the mug"}) == "Pick up the mug"
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    assert text_of({"role": "user", "content": parts}) == "a\nb"
    assert text_of({"role": "user", "content": [{"type": "image"}]}) == ""


def test_llavas_record() -> None:
    messages = [
        user_turn("Pick up the mug"),
        assistant_turn("Here."),
        user_turn("Not so", image=False),
        assistant_turn("So."),
    ]
    assert to_llava("000001", "images/000/000001.jpg", messages) == {
        "id": "000001",
        "image": "images/000/000001.jpg",
        "conversations": [
            {"from": "human", "value": "<image>\nPick up the mug"},
            {"from": "gpt", "value": "Here."},
            {"from": "human", "value": "Not so"},
            {"from": "gpt", "value": "So."},
        ],
    }
