"""Pictures of answers to be rated: a sheet for people that does not say whose they are, and what they gave.

A picture is named by what is on it, so that marks stay with it whatever else changes. The folder `ratings` has the
pictures, `sheet.html` to rate them in a browser and `sheet.csv` for a table program. Whoever has rated puts their file
beside it, under any other name that ends in .csv.
"""

import csv
import hashlib
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import torch
from PIL import Image

from graspwise.errors import InputError
from graspwise.evaluation.hand_measures import HandRow
from graspwise.evaluation.hand_plan import HandQuestion
from graspwise.evaluation.page import STYLE
from graspwise.evaluation.runs import Bar
from graspwise.files import replacing, write_text
from graspwise.hand.draw import picture
from graspwise.hand.grasps import HandDataset
from graspwise.hand.model import HandModel

FOLDER, SHEET = "ratings", "sheet"
HEAD = ("picture", "sentence", "score")
LOWEST, HIGHEST = 1, 5
SIZE = (560, 420)
WORDS = (
    f"How well does the hand do what the sentence asks, and would a person hold the thing so? {HIGHEST}: just so; "
    f"{LOWEST}: not at all. The object's parts have colours of their own. What you do not want to rate stays empty."
)
# The frames of a report's pictures say what is right.
PLAIN = ".tiles figure { border-top: 1px solid var(--line); }\n"
# Gathers the marks into a file of the same columns as sheet.csv.
SCRIPT = """
document.querySelector('button').onclick = () => {
  const quoted = text => '"' + text.replaceAll('"', '""') + '"';
  const rows = [...document.querySelectorAll('figure')].map(figure => {
    const chosen = figure.querySelector('input:checked');
    return [figure.id, quoted(figure.dataset.sentence), chosen ? chosen.value : ''].join(',');
  });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['picture,sentence,score\\n' + rows.join('\\n') + '\\n']));
  link.download = 'ratings.csv';
  link.click();
};
"""


@dataclass(frozen=True)
class Shown:
    """An answer that has a picture.

    Attributes:
        name: Of its picture, without the ending.
        question: What was asked.
        row: The hand.
        method: Whose it is.
    """

    name: str
    question: HandQuestion
    row: HandRow
    method: str

    @property
    def sentence(self) -> str:
        """All that was asked."""
        before = self.question.before
        return f"{before} Then: {self.question.sentence}" if before else self.question.sentence


def shown_of(
    questions: Sequence[HandQuestion], methods: Mapping[str, Sequence[HandRow]], *, count: int
) -> list[Shown]:  # fmt: skip
    """The answers of some methods to the first so many questions, in the order of their names, which is by chance."""
    found = []
    for method, rows in methods.items():
        of = {row.number: row for row in rows}
        for question in questions[:count]:
            row = of[question.number]
            told = json.dumps([row.object_id, question.before, question.sentence, row.parameters])
            found.append(Shown(hashlib.sha256(told.encode()).hexdigest()[:12], question, row, method))
    return sorted(found, key=lambda one: (one.name, one.method))


def draw_ratings(folder: Path, shown: Sequence[Shown], dataset: HandDataset, hand: HandModel, *, bar: Bar) -> None:
    """Write the pictures that are not there yet, and the sheets; pictures of other answers go."""
    wanted = {picture_path(folder, one.name): one for one in shown}
    for old in (folder / FOLDER / "pictures").glob("*.jpg"):
        if old not in wanted:
            old.unlink()
    missing = [path for path in wanted if not path.is_file()]
    if missing:
        solids = {name: dataset.solid(name) for name in {wanted[path].row.object_id for path in missing}}
        for path in bar(iter(missing), len(missing), "pictures"):
            row = wanted[path].row
            parameters = torch.tensor([row.parameters])
            posed = hand.pose(*hand.layout.split(parameters))
            drawn: Image.Image = picture(solids[row.object_id], posed, hand.faces, size=SIZE)
            with replacing(path) as temporary:
                drawn.save(temporary, quality=88)
    if shown:
        # Two methods may give the very same hand; it is rated once.
        sentences = {one.name: one.sentence for one in shown}
        write_text(folder / FOLDER / f"{SHEET}.csv", csv_sheet(sentences))
        write_text(folder / FOLDER / f"{SHEET}.html", html_sheet(sentences))


def picture_path(folder: Path, name: str) -> Path:
    return folder / FOLDER / "pictures" / f"{name}.jpg"


def csv_sheet(sentences: Mapping[str, str]) -> str:
    """A line a picture, its score empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows((name, sentence, "") for name, sentence in sentences.items())
    return buffer.getvalue()


def html_sheet(sentences: Mapping[str, str]) -> str:
    """A page with the pictures, a choice below each, and a button that saves a file like `csv_sheet`."""
    figures = []
    for name, sentence in sentences.items():
        choices = " ".join(
            f'<label><input type="radio" name="{name}" value="{score}"> {score}</label>'
            for score in range(LOWEST, HIGHEST + 1)
        )
        text = html.escape(sentence)
        figures.append(
            f'<figure id="{name}" data-sentence="{text}"><img src="pictures/{name}.jpg" alt="A hand on a thing" '
            f'loading="lazy"><figcaption>{text}<br>{choices}</figcaption></figure>'
        )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Rating sheet</title>\n'
        f"<style>{STYLE}{PLAIN}</style>\n</head>\n<body>\n<main>\n<h1>Rating sheet</h1>\n<p>{html.escape(WORDS)}</p>\n"
        f'<div class="tiles">{"".join(figures)}</div>\n<p><button>Save my ratings</button></p>\n</main>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def ratings_in(folder: Path) -> dict[str, float]:
    """What people gave, by picture the mean over people; empty without any.

    Raises:
        InputError: a file has other columns, or a score that is none.
    """
    found: dict[str, list[float]] = {}
    for path in sorted((folder / FOLDER).glob("*.csv")):
        try:
            rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}: is no table of ratings ({error}); valid is a copy of {SHEET}.csv") from error
        for row in rows:
            name, score = row.get("picture"), (row.get("score") or "").strip()
            if not name:
                raise InputError(f"{path}: lacks the column picture; valid is a copy of {SHEET}.csv")
            if not score:
                continue
            if not score.isdecimal() or not LOWEST <= int(score) <= HIGHEST:
                raise InputError(f"{path}: {name}: score is {score[:20]}; valid is {LOWEST} to {HIGHEST}, or nothing")
            found.setdefault(name, []).append(float(score))
    return {name: mean(scores) for name, scores in found.items()}


def by_method(shown: Sequence[Shown], marks: Mapping[str, float]) -> dict[str, dict[int, float]]:
    """Marks by method and number, of marks by picture."""
    found: dict[str, dict[int, float]] = {}
    for one in shown:
        if one.name in marks:
            found.setdefault(one.method, {})[one.question.number] = marks[one.name]
    return found
