"""The rating sheet, what people give, and what a judge's words are worth."""

import csv
from pathlib import Path

import pytest

from graspwise.errors import InputError
from graspwise.evaluation.hand_judge import mark_in, request, text_in
from graspwise.evaluation.hand_measures import HandRow
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.hand_ratings import by_method, csv_sheet, html_sheet, ratings_in, shown_of


def row(number: int, place: float) -> HandRow:
    return HandRow(number, "mug", (place,), {}, 0.0, 0.0, 0.0, None, None)


QUESTIONS = [HandQuestion(n, "mug", "high", f"Ask {n}, <b>.", (), (), before="First" * n) for n in (0, 1, 2)]
METHODS = {"ours": [row(n, 0.1 * n) for n in (0, 1, 2)], "theirs": [row(n, 0.2 * n) for n in (0, 1, 2)]}


def test_pictures_are_named_by_what_is_on_them() -> None:
    shown = shown_of(QUESTIONS, METHODS, count=2)
    assert len(shown) == 4 and [one.name for one in shown] == sorted(one.name for one in shown)
    # The same hand for the same question is one picture.
    assert len({one.name for one in shown}) == 3
    marks = by_method(shown, {one.name: 3.0 for one in shown if one.method == "ours" and one.question.number == 0})
    assert marks == {"ours": {0: 3.0}, "theirs": {0: 3.0}}
    assert {one.sentence for one in shown} == {"Ask 0, <b>.", "First Then: Ask 1, <b>."}
    moved = shown_of(QUESTIONS, {"ours": [row(n, 0.5) for n in (0, 1, 2)]}, count=2)
    assert not {one.name for one in moved} & {one.name for one in shown}


def test_sheets_hold_all_and_tell_nothing() -> None:
    sentences = {one.name: one.sentence for one in shown_of(QUESTIONS, METHODS, count=2)}
    rows = list(csv.DictReader(csv_sheet(sentences).splitlines()))
    assert [(r["picture"], r["sentence"], r["score"]) for r in rows] == [(k, v, "") for k, v in sentences.items()]
    page = html_sheet(sentences)
    assert page.count("<figure") == 3 and "theirs" not in page and "<b>" not in page and "&lt;b&gt;" in page


def test_ratings_are_means_over_people(tmp_path: Path) -> None:
    assert ratings_in(tmp_path) == {}
    folder = tmp_path / "ratings"
    folder.mkdir()
    (folder / "sheet.csv").write_text("picture,sentence,score\na,x,\nb,y,\n")
    assert ratings_in(tmp_path) == {}
    (folder / "anna.csv").write_text('\ufeffpicture,sentence,score\na,"x, y",5\nb,y,\n', encoding="utf-8")
    (folder / "ben.csv").write_text("picture,sentence,score\na,x,2\nb,y,1\n")
    assert ratings_in(tmp_path) == {"a": 3.5, "b": 1.0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("picture,score\na,6\n", "a: score is 6; valid is 1 to 5"),
        ("picture,score\na,good\n", "score is good"),
        ("name,score\na,3\n", "lacks the column picture"),
        (b"\xff\xfe\x00", "is no table of ratings"),
    ],
)
def test_bad_ratings_are_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    (tmp_path / "ratings").mkdir()
    (tmp_path / "ratings" / "anna.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=message):
        ratings_in(tmp_path)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("It holds the handle.\nScore: 85", 85), ("**Score:** 7", 7), ("score = 100.", 100),
        ("From Score: 20 I go to\nScore: 30", 30), ("Score: 101", None), ("Good.", None), ("", None),
        ("Score: 1000", None),
    ],
)  # fmt: skip
def test_the_last_score_counts(text: str, mark: float | None) -> None:
    assert mark_in(text) == mark


def test_what_a_judge_is_sent_and_sends() -> None:
    body = request("seer", b"jpeg", 'hold "it" {so}')
    picture, words = body["messages"][0]["content"]
    assert picture["image_url"]["url"] == "data:image/jpeg;base64,anBlZw==" and 'hold "it" {so}' in words["text"]
    assert text_in({"choices": [{"message": {"content": None}}]}, url="u") == ""
    with pytest.raises(InputError, match="u: the answer has no choices"):
        text_in({"error": "busy"}, url="u")
