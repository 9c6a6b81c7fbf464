"""What a client asks, ready for the model: the square picture, and the conversation in the model's frame."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from graspwise.answer import GRASP, AnswerError, parse_grasp, render_grasp, target_of
from graspwise.conversation import INSTRUCTION_LIMIT, Message, assistant_turn, check_instruction, user_turn
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model.llava_responder import LlavaResponder
from graspwise.model.responder import Response
from graspwise.picture import Picture
from graspwise.predict import Model, View, Workspace
from graspwise.server.limits import Limits
from graspwise.server.pictures import open_upload, read_base64

# Characters of a whole conversation; what they cost a language model, its tokens say.
CONVERSATION_LIMIT = 4 * INSTRUCTION_LIMIT
# What the rounding of a text may add to a place.
UNIT = 10 ** -GRASP.numbers[0].decimals


@dataclass(frozen=True)
class Said:
    """A turn as a client tells it.

    Attributes:
        role: Whose it is.
        text: An answer's numbers are in the frame of the picture as given.
        model_text: An answer's, as the model wrote it, where the client tells that too.
    """

    role: Literal["user", "assistant"]
    text: str
    model_text: str | None = None


@dataclass(frozen=True)
class Question:
    """A conversation that ends with a user's turn, about one picture.

    Attributes:
        model: The model's name, as clients know it.
        view: Leads from the model's frame to the picture's; of the picture itself it holds the size alone.
        square: What the model sees.
        conversation: In the model's frame.
    """

    model: str
    view: View
    square: Picture
    conversation: tuple[Message, ...]


def question(
    model: Model, image: str | bytes, said: Sequence[Said], *, workspace: Workspace | None, limits: Limits
) -> Question:
    """A question for a model.

    Args:
        model: Who will answer.
        image: A picture file's bytes, or base64, or a data URL.
        said: The turns.
        workspace: As for `Model.look`.
        limits: What is taken.

    Raises:
        InputError: picture, turns or workspace are not valid.
        Problem: the picture has too many pixels.
    """
    checked = check_turns(said, turns=limits.turns)
    picture = open_upload(read_base64(image) if isinstance(image, str) else image, pixels=limits.pixels)
    view = model.look(picture, workspace=workspace)
    square = view.square
    # A photograph waits in the queue as its small square; a broadcast array of its size takes no memory.
    frame = Picture(np.broadcast_to(np.uint8(0), (picture.height, picture.width, 3)))
    view = replace(view, picture=frame)
    first, *rest = checked
    conversation = [user_turn(first.text)]
    for turn in rest:
        conversation.append(
            user_turn(turn.text, image=False) if turn.role == "user" else assistant_turn(in_model(view, turn))
        )
    check_tokens(view, conversation, tokens=limits.tokens)
    return Question(public_name(model.name), view, square, tuple(conversation))


def public_name(name: str) -> str:
    """A model's name for clients: of an endpoint what stands after #, of a path the last part."""
    if name.lower().startswith(("http://", "https://")):
        # An endpoint may name its model by a path, too.
        shown = name.partition("#")[2]
        return shown.rstrip("/").rpartition("/")[2] if shown.startswith("/") else shown
    return Path(os.path.abspath(name)).name if os.path.exists(name) else name


def check_tokens(view: View, conversation: Sequence[Message], *, tokens: int) -> None:
    """How long a prompt takes to read cannot be stopped in the middle, and its neighbours are read with it.

    Raises:
        InputError: a language model would have to read more tokens.
    """
    if not isinstance(view.responder, LlavaResponder):
        return
    found = view.responder.tokens(conversation)
    if found > tokens:
        raise InputError(
            f"messages: {found} tokens with the picture; valid is at most {tokens}; take a turn back, or say it in "
            "fewer words"
        )


def check_turns(said: Sequence[Said], *, turns: int) -> list[Said]:
    """The turns, the user's with their white space folded.

    Raises:
        InputError: they do not alternate from a user's to a user's, or are too many or too long.
    """
    checked = []
    for index, turn in enumerate(said):
        if not is_text(turn.text + (turn.model_text or "")):
            raise InputError(f"messages: turn {index + 1} holds half a character; valid is Unicode text")
        due = "assistant" if index % 2 else "user"
        if turn.role != due:
            raise InputError(f"messages: turn {index + 1} is the {turn.role}'s; valid is the {due}'s, taking turns")
        if turn.role == "user":
            turn = Said("user", check_instruction(turn.text))
        elif (found := max(len(turn.text), len(turn.model_text or ""))) > INSTRUCTION_LIMIT:
            raise InputError(f"messages: an answer of {found} characters; valid is up to {INSTRUCTION_LIMIT}")
        checked.append(turn)
    if len(checked) % 2 == 0:
        raise InputError("messages: the last turn is not the user's; end with what is asked")
    if len(checked) // 2 + 1 > turns:
        raise InputError(f"messages: {len(checked) // 2 + 1} turns of the user; valid is at most {turns}")
    total = sum(len(turn.text) for turn in checked)
    if total > CONVERSATION_LIMIT:
        raise InputError(f"messages: {total} characters together; valid is at most {CONVERSATION_LIMIT}")
    return checked


def is_text(text: str) -> bool:
    """Whether UTF-8 can hold it; JSON can spell what it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def in_model(view: View, said: Said) -> str:
    """An answer's text with its numbers in the model's frame; one without a grasp stays as it is.

    What the model wrote itself is taken as far as it says the same: its words for the target that is marked in them,
    its numbers too unless they are those of another workspace.
    """
    try:
        reasoning, grasp = parse_grasp(said.text)
    except AnswerError:
        return said.text
    with contextlib.suppress(AnswerError):
        wrote, written = parse_grasp(said.model_text or "")
        if (plain := target_of(wrote)[0]) == reasoning:
            if said.model_text and view.in_picture(Response("", plain, written), seconds=0).text == said.text.strip():
                return said.model_text
            reasoning = wrote
    seen = in_box(view, grasp)
    if seen is None:
        # It was given for another workspace: what the model cannot see has no numbers in its frame.
        return reasoning
    return render_grasp(view.transform.grasp(seen), answer_format=view.responder.answer_format, reasoning=reasoning)


def in_box(view: View, grasp: Grasp) -> Grasp | None:
    """A grasp of the picture that lies in the view's workspace, up to a text's rounding; None where it does not."""
    x0, y0, x1, y1 = view.workspace
    width, height = view.picture.size
    x, y = min(max(grasp.x, x0 / width), x1 / width), min(max(grasp.y, y0 / height), y1 / height)
    return replace(grasp, x=x, y=y) if max(abs(x - grasp.x), abs(y - grasp.y)) <= UNIT + 1e-9 else None
