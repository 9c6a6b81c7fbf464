"""The texts of requests: the shipped file, its check, and that answers are read as they were meant."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from graspwise.answer import REASONING_LIMIT
from graspwise.data.request_texts import (
    REQUESTS,
    SIDES,
    WHOLE,
    announced,
    answer_text,
    load_requests,
    outcome_of,
    says_unmet,
    worded,
)
from graspwise.data.requests import Request
from graspwise.errors import InputError

SHADED = [(keep, little) for keep in (False, True) for little in (False, True)]
REQUESTED = [Request("direction", side, keep_angle=keep, little=little) for side in SIDES for keep, little in SHADED]
REQUESTED += [Request(kind, part="lid" if kind in ("part", "away") else None) for kind in WHOLE]


@pytest.mark.parametrize("request_", REQUESTED)
def test_an_answer_says_which_request_it_answers_and_whether_it_does_it(request_: Request) -> None:
    rng = np.random.default_rng(0)
    for met in (True, False) if request_.kind != "previous" else (True,):
        for kept in (True, False):
            for turn in range(20):
                near = turn % 2 == 0
                text = answer_text(request_, met=met, kept=kept, near=near, name="screwdriver", rng=rng)
                bit_said = near and outcome_of(request_, met=met, kept=kept) != "none"
                assert announced(text) == [request_.key if bit_said else request_.side or request_.kind]
                assert says_unmet(text) is not met and text[0].isupper()
                assert "screwdriver" in text and text.endswith(".") and len(text) <= REASONING_LIMIT
                assert len(text.split()) <= 25


def test_an_answer_says_the_angle_only_as_it_is() -> None:
    plain, bound = Request("direction", "left"), Request("direction", "left", keep_angle=True)
    assert [outcome_of(plain, met=True, kept=kept) for kept in (True, False)] == ["found", "turned"]
    assert outcome_of(bound, met=False, kept=False) == "bound"
    assert outcome_of(plain, met=False, kept=True) == outcome_of(bound, met=False, kept=True) == "none"


def test_answers_by_a_part_name_it_with_its_thing() -> None:
    """What a model that names its target marks is the part, not the whole."""
    for (kind, _), texts in load_requests().answers.items():
        assert kind != "part" or all("{part} of the {object}" in text for text in texts)


def test_a_bit_further_is_read_whole() -> None:
    assert announced("A bit further left the mug lies, and further left too.") == ["a bit left", "left"]
    assert announced("Nothing further left, so a bit further up.") == ["left", "a bit up"]


@pytest.mark.parametrize("request_", REQUESTED)
def test_words_for_testing_are_no_words_for_training(request_: Request) -> None:
    def said(test: bool) -> set[str]:
        rng = np.random.default_rng(1)
        return {worded(request_, rng, test=test).text for _ in range(60)}

    assert len(said(False)) > 2 and not said(False) & said(True)
    assert all("{" not in text and text.strip() for text in said(False) | said(True))


def test_shades_are_in_the_words() -> None:
    rng = np.random.default_rng(2)
    little = {worded(Request("direction", "up", little=True), rng).text for _ in range(60)}
    assert all(any(word in text for word in ("a bit", "a little", "slightly")) for text in little)
    keep = {worded(Request("direction", "up", keep_angle=True), rng).text for _ in range(60)}
    assert all("angle" in text or "without turning" in text for text in keep)


def spoiled(tmp_path: Path, *place: str, value: object) -> Path:
    """The shipped file with one thing changed."""
    content = yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    if value is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    path = tmp_path / "requests.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("answers",), None, "valid are exactly"),
        (("asked", "left"), None, "valid are exactly"),
        (("asked", "left", "testing"), None, "valid are exactly training, testing"),
        (("asked", "left", "training"), [], "valid is a list of one or more texts"),
        (("asked", "left", "training"), ["3 cm left"], "without digits"),
        (("asked", "part", "training"), ["by it"], "placeholders part"),
        (("asked", "frames", "training"), ["go on"], "placeholders change"),
        (("says", "turn"), "Quarter Turn", "valid is a text in lower case"),
        (("answers", "turn", "bound"), ["No."], "valid are exactly found, none"),
        (("answers", "turn", "found"), ["The {object} is turned."], "does not say 'quarter turn'"),
        (("answers", "turn", "found"), ["A quarter turn to the other end of the {object}."], "also says 'other end'"),
        (("answers", "turn", "found"), ["A quarter turn cannot be for the {object}."], "valid with one of"),
        (("answers", "turn", "none"), ["A quarter turn of the {object}."], "valid with one of"),
        (("answers", "direction", "found"), ["Further left on the {object}."], "placeholders way, object"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(
    tmp_path: Path, place: tuple[str, ...], value: object, message: str
) -> None:
    path = spoiled(tmp_path, *place, value=value)
    with pytest.raises(InputError) as refused:
        load_requests(path)
    assert message in str(refused.value) and str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_the_shipped_file_is_read_from_its_path_too() -> None:
    assert load_requests(REQUESTS) == load_requests()
