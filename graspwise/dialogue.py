"""A conversation about one picture: asked and answered turn by turn, taken back, kept, and asked again.

dialogue = Dialogue(graspwise.load("small").look("photo.jpg"))
dialogue.ask("Pick up the mug").grasp
dialogue.ask("By the handle").grasp

The model is shown its earlier answers as it wrote them, in the frame of its square picture; a user sees them in the
frame of the picture as given.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import graspwise
from graspwise.answer import shorten
from graspwise.conversation import Message, assistant_turn, check_instruction, user_turn
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.grasp import Grasp
from graspwise.predict import Answer, Model, View, Workspace

FORMAT = 1
TURNS = 8
# What an answer's JSON says of the run, and not of the grasp.
OF_THE_RUN = ("image", "model", "seconds")


@dataclass(frozen=True)
class Turn:
    """What was asked, and the answer."""

    asked: str
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "answer": self.answer.to_json(), "model_text": self.answer.model_text}


class Dialogue:
    """One picture, one model, many turns.

    Attributes:
        view: The picture in front of the model.
        limit: Most turns.
        turns: The turns so far.
    """

    def __init__(self, view: View, *, limit: int = TURNS) -> None:
        self.view, self.limit = view, limit
        self.turns: tuple[Turn, ...] = ()
        # Now, because a camera may write its next picture over this one while it is talked about.
        self._picture_sha256 = None if view.picture.path is None else file_sha256(view.picture.path)

    @property
    def messages(self) -> list[Message]:
        """What the model is shown of the turns so far."""
        messages: list[Message] = []
        for turn in self.turns:
            messages += [user_turn(turn.asked, image=not messages), assistant_turn(turn.answer.model_text)]
        return messages

    @property
    def grasp(self) -> Grasp | None:
        """The grasp on show: the last one given, for an answer without one leaves the earlier on show."""
        return last_grasp(self.turns)

    @property
    def before(self) -> Grasp | None:
        """The grasp that the last turn's took the place of; None where it gave none, or was the first."""
        if not self.turns or self.turns[-1].answer.grasp is None:
            return None
        return last_grasp(self.turns[:-1])

    def ask(self, text: str) -> Answer:
        """The next turn's answer.

        Raises:
            InputError: the text is empty or too long, the turns are used up, or the model cannot read so much; then
                the conversation is as it was.
        """
        asked = check_instruction(text)
        if len(self.turns) >= self.limit:
            raise InputError(
                f"the conversation has {len(self.turns)} turns; valid is at most {self.limit}; take one back, or begin "
                "anew"
            )
        answer = self.view.answer([*self.messages, user_turn(asked, image=not self.turns)])
        self.turns = (*self.turns, Turn(asked, answer))
        return answer

    def undo(self) -> Turn:
        """Take the last turn back, and return it.

        Raises:
            InputError: there is none.
        """
        if not self.turns:
            raise InputError("nothing has been asked yet; there is no turn to take back")
        *kept, last = self.turns
        self.turns = tuple(kept)
        return last

    def to_json(self) -> dict[str, Any]:
        """The transcript, as `read_transcript` reads it.

        Raises:
            InputError: nothing has been asked yet, or the picture came from no file.
        """
        if not self.turns:
            raise InputError("nothing has been asked yet; there is no conversation to keep")
        if self._picture_sha256 is None:
            raise InputError("the picture came from no file that is there; a transcript names one")
        name = self.view.responder.name
        return {
            "format": FORMAT,
            "graspwise": graspwise.__version__,
            "model": name,
            "model_sha256": model_sha256(name),
            "picture": str(self.view.picture.path),
            "picture_sha256": self._picture_sha256,
            "workspace": list(self.view.workspace),
            "turns": [turn.to_json() for turn in self.turns],
        }


@dataclass(frozen=True)
class KeptTurn:
    """A turn of a transcript: what was asked, the answer's JSON, and the answer as the model wrote it."""

    asked: str
    answer: dict[str, Any]
    model_text: str


@dataclass(frozen=True)
class Transcript:
    """A conversation that was kept.

    Attributes:
        graspwise: Version that it was held with.
        model: The model's name.
        model_sha256: Of the model's card and weights; None where it lies in no folder.
        picture: The picture's path, as it was given.
        picture_sha256: Of that file.
        workspace: Half-open box (x0, y0, x1, y1) in pixels that the model looked at.
        turns: The turns, at least one.
    """

    graspwise: str
    model: str
    model_sha256: str | None
    picture: Path
    picture_sha256: str
    workspace: Workspace
    turns: tuple[KeptTurn, ...]

    def begin(self, model: Model, *, picture: Path | None = None) -> Dialogue:
        """A dialogue about the same picture with nothing asked yet.

        Args:
            model: Who answers.
            picture: Where the picture lies now; by default where it lay.

        Raises:
            InputError: the picture cannot be read, or is another one.
        """
        path = picture or self.picture
        view = model.look(path, workspace=self.workspace)
        found = file_sha256(path)
        if found != self.picture_sha256:
            raise InputError(f"{path}: sha256 is {found}; valid is the picture talked about, {self.picture_sha256}")
        return Dialogue(view, limit=max(TURNS, len(self.turns)))

    def replay(self, model: Model, *, picture: Path | None = None) -> Dialogue:
        """Ask all of it again; arguments and errors as of `begin`."""
        dialogue = self.begin(model, picture=picture)
        for turn in self.turns:
            dialogue.ask(turn.asked)
        return dialogue

    def first_difference(self, dialogue: Dialogue) -> int | None:
        """The first turn, from 1, that the dialogue answers differently, if one does; a missing turn differs."""
        for number, kept in enumerate(self.turns, start=1):
            if number > len(dialogue.turns):
                return number
            turn = dialogue.turns[number - 1].to_json()
            said = (turn["asked"], turn["model_text"], of_the_grasp(turn["answer"]))
            if said != (kept.asked, kept.model_text, of_the_grasp(kept.answer)):
                return number
        return None


def read_transcript(path: Path | str) -> Transcript:
    """Read a conversation that was kept.

    Raises:
        InputError: the file is missing, or is no transcript of this format.
    """
    value, place = read_json(path), str(path)
    found = value.get("format") if isinstance(value, dict) else None
    if found != FORMAT:
        raise InputError(f"{place}: format: found {shorten(repr(found))}; valid is {FORMAT}, a transcript of a chat")
    box = field(value, "workspace", list, "four integers", place=place)
    if len(box) != 4 or any(type(number) is not int for number in box):
        raise InputError(f"{place}: workspace: found {shorten(repr(box))}; valid is four integers")
    turns = []
    for number, turn in enumerate(field(value, "turns", list, "a list of turns", place=place), start=1):
        at = f"{place}: turn {number}"
        asked = field(turn, "asked", str, "text", place=at)
        try:
            check_instruction(asked)
        except InputError as error:
            raise InputError(f"{at}: {error}") from error
        answer = field(turn, "answer", dict, "the object of an answer", place=at)
        field(answer, "text", str, "text", place=at)
        turns.append(KeptTurn(asked, answer, field(turn, "model_text", str, "text", place=at)))
    if not turns:
        raise InputError(f"{place}: turns: found none; valid is at least one")
    return Transcript(
        graspwise=field(value, "graspwise", str, "a version", place=place),
        model=field(value, "model", str, "a name", place=place),
        model_sha256=field(value, "model_sha256", str | None, "a sha256 or null", place=place),
        picture=Path(field(value, "picture", str, "a path", place=place)),
        picture_sha256=field(value, "picture_sha256", str, "a sha256", place=place),
        workspace=(box[0], box[1], box[2], box[3]),
        turns=tuple(turns),
    )


def field(value: Any, key: str, kind: type | UnionType, valid: str, *, place: str) -> Any:
    """What an object of a transcript holds under a key.

    Raises:
        InputError: it is no object, has no such key, or holds something of another kind there.
    """
    if not isinstance(value, dict) or key not in value:
        raise InputError(f"{place}: {key}: found nothing; valid is {valid}")
    if not isinstance(value[key], kind):
        raise InputError(f"{place}: {key}: found {shorten(repr(value[key]))}; valid is {valid}")
    return value[key]


def last_grasp(turns: tuple[Turn, ...]) -> Grasp | None:
    return next((turn.answer.grasp for turn in reversed(turns) if turn.answer.grasp is not None), None)


def of_the_grasp(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer's JSON without what may differ from run to run."""
    return {key: value for key, value in answer.items() if key not in OF_THE_RUN}


def file_sha256(path: Path) -> str | None:
    """None where there is no such file (any more)."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def model_sha256(name: str) -> str | None:
    """Of the card and weights of a model that lies in a folder; None of any other."""
    from graspwise.model.load import fingerprint

    return fingerprint(name) or None
