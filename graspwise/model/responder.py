"""What answers a conversation about a square picture: a language model that reasons, or a baseline that does not."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from graspwise.answer import SPT, AnswerFormat, parse_grasp, target_of
from graspwise.conversation import Message, text_of
from graspwise.grasp import Grasp, angle_difference
from graspwise.picture import Picture

if TYPE_CHECKING:
    from torch import Tensor

    from graspwise.model.generate import Written
    from graspwise.model.grasp_model import GraspModel

# A chosen grasp this close to a proposal is that proposal, up to the answer's rounding.
SAME_PLACE, SAME_ANGLE = 0.02, math.radians(3)
# Grasps of the dense head that an answer's digits are weighed against, and that an answer ranks.
WEIGHED, RANKED = 8, 5


@dataclass(frozen=True)
class Response:
    """One answer, in the frame of the square picture.

    Attributes:
        text: As the model wrote it.
        reasoning: The text before the numbers.
        grasp: The grasp it gives; None where the text holds no valid one.
        others: Further grasps, ranked, with quality.
        intervened: Whether the grammar overruled the model's own choice of a token.
        target: Name of the object it means; None where the model names none.
        refused: Whether it says that nothing in view serves the instruction; then there is no grasp.

    Raises:
        ValueError: it refuses and holds a grasp.
    """

    text: str
    reasoning: str
    grasp: Grasp | None
    others: tuple[Grasp, ...] = ()
    intervened: bool = False
    target: str | None = None
    refused: bool = False

    def __post_init__(self) -> None:
        if self.refused and (self.grasp is not None or self.others):
            raise ValueError(f"a refusal holds no grasp; found {(self.grasp, *self.others)}")


class Responder(Protocol):
    """A source of answers.

    Attributes:
        name: As given by the user.
        image_size: Side of the square pictures it takes, pixels.
        answer_format: How its text is written.
        mode: "plain" where the numbers come from text alone, "grounded" where a dense head takes part.
        takes_depth: Whether its pictures must have depth.
    """

    name: str
    image_size: int
    answer_format: AnswerFormat
    mode: str
    takes_depth: bool

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        """Answers to conversations that end with a user's turn, one a square picture of side `image_size`."""


class BaselineResponder:
    """A baseline by name; it reads no instruction and gives no reason."""

    answer_format: AnswerFormat = "bare"
    mode = "plain"
    takes_depth = False

    def __init__(self, name: str, *, image_size: int = 352) -> None:
        from graspwise.model.baselines import baseline

        self.name, self.image_size = name, image_size
        self._grasp = baseline(name)

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        return [Response(text="", reasoning="", grasp=self._grasp(picture.rgb)) for picture in pictures]


class LlavaResponder:
    """A grasp model: the dense head proposes, the language model reasons and writes, the map holds its digits.

    Args:
        name: As given by the user.
        model: The model.
        trust: Other than the card's: 0 leaves the digits to the language model.
    """

    takes_depth = False

    def __init__(self, name: str, model: "GraspModel", *, trust: float | None = None) -> None:
        self.name, self.model = name, model
        self.image_size = model.image_size
        self.answer_format = model.card.answer
        self.trust = model.card.trust if trust is None else trust
        self.mode = "grounded" if model.head is not None and (model.card.proposals or self.trust) else "plain"

    def respond(
        self,
        pictures: Sequence[Picture],
        conversations: Sequence[Sequence[Message]],
        *,
        reasonings: Sequence[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Response]:
        """Answers to conversations that end with a user's turn, one a square picture of side `image_size`.

        Args:
            pictures: B pictures.
            conversations: B conversations.
            reasonings: Reasons to write the numbers after, instead of the model's own.
            temperature: Above 0, tokens are drawn.
            seed: Decides what is drawn.
        """
        openings = None if reasonings is None else [f"{text.strip()}\n" for text in reasonings]
        written, proposals = self.write(
            pictures, conversations, constrained=True, openings=openings, temperature=temperature, seed=seed
        )
        responses = []
        for answer, proposed in zip(written, proposals, strict=True):
            if self.model.names_target and SPT not in answer.text:
                responses.append(Response(answer.text, answer.text, None, intervened=answer.intervened, refused=True))
                continue
            reasoning, grasp = parse_grasp(answer.text)
            reasoning, target = target_of(reasoning)
            chosen = next((p for p in proposed if is_same(p, grasp)), None)
            # A grasp of the model's own invention opens as wide as the proposal nearest to it.
            nearest = chosen or min(proposed, key=lambda p: math.dist((p.x, p.y), (grasp.x, grasp.y)), default=None)
            if nearest is not None:
                quality = chosen.quality if chosen else None
                grasp = replace(grasp, opening=nearest.opening, jaw=nearest.jaw, quality=quality)
            others = tuple(p for p in proposed if p is not chosen)[: RANKED - 1]
            responses.append(Response(answer.text, reasoning, grasp, others, answer.intervened, target=target))
        return responses

    def free_texts(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[str]:
        """What the model writes when no grammar holds it."""
        return [written.text for written in self.write(pictures, conversations, constrained=False)[0]]

    def write(
        self,
        pictures: Sequence[Picture],
        conversations: Sequence[Sequence[Message]],
        *,
        constrained: bool,
        openings: Sequence[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> "tuple[list[Written], list[list[Grasp]]]":
        """Answers, and for each the dense head's grasps, best first, that its digits were weighed against."""
        from graspwise.model.density import GraspDensity
        from graspwise.model.generate import write_answers
        from graspwise.model.grasp_map import best_grasps
        from graspwise.model.steering import mean_state

        model = self.model
        pixel_values = model.pixel_values([picture.rgb for picture in pictures])
        maps, dense = None, pixel_values
        grasps: list[list[Grasp]] = [[] for _ in pictures]
        if model.head is not None:
            dense = model.look(pixel_values)
            maps = model.grasp_maps(dense)
            grasps = best_grasps(maps, count=WEIGHED, plate=model.card.plate)
        names = model.recognise(pixel_values, maps)
        in_view = model.in_view(dense[: len(pictures)])
        prompts = [
            self.prompt(conversation, names=named, in_view=shown, proposals=found[: model.card.proposals])
            for conversation, named, shown, found in zip(conversations, names, in_view, grasps, strict=True)
        ]

        def steered(row: int, state: "Tensor") -> list[Grasp]:
            maps = model.steered_maps(dense[row :: len(pictures)], state[None])
            return best_grasps(maps, count=WEIGHED, plate=model.card.plate)[0]

        meant: dict[int, list[Grasp]] = {}

        def density(row: int, ids: Sequence[int], states: "Tensor") -> GraspDensity:
            state = mean_state(states, ids, model.spt[1]) if model.names_target else None
            if state is not None:
                meant[row] = steered(row, state)
            return GraspDensity.of(meant.get(row, grasps[row]), trust=self.trust)

        written = write_answers(
            model, prompts, pixel_values, answer_format=self.answer_format, constrained=constrained,
            openings=openings, density=density if self.trust and maps is not None else None,
            temperature=temperature, seed=seed,
        )  # fmt: skip
        for row, answer in enumerate(written):
            # Where no digits were weighed, nobody has asked for the target's grasps yet.
            if answer.state is not None and row not in meant:
                meant[row] = steered(row, answer.state)
        return written, [meant.get(row, found) for row, found in enumerate(grasps)]

    def prompt(
        self,
        conversation: Sequence[Message],
        *,
        names: Sequence[str],
        in_view: Sequence[str],
        proposals: Sequence[Grasp],
    ) -> list[int]:
        """Token ids; names and proposals are written into the first user's turn."""
        from graspwise.conversation import user_turn
        from graspwise.model.prompt import with_hints

        first, *rest = conversation
        asked = with_hints(text_of(first), names=names, proposals=proposals, in_view=in_view)
        return self.model.prompt_ids([user_turn(asked), *rest])


class HeadResponder:
    """The dense head's best grasps alone, without the language model."""

    answer_format: AnswerFormat = "bare"
    mode = "grounded"
    takes_depth = False

    def __init__(self, name: str, *, count: int = 3) -> None:
        from graspwise.errors import InputError
        from graspwise.model.load import load_model

        self.name, self.model, self.count = f"{name} (head)", load_model(name), count
        self.image_size = self.model.image_size
        if self.model.head is None:
            raise InputError(f"model {name}: has no dense head; valid is a model trained with one")

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        from graspwise.model.grasp_map import best_grasps

        maps = self.model.grasp_maps(self.model.look(self.model.pixel_values([p.rgb for p in pictures])))
        found = best_grasps(maps, count=self.count, plate=self.model.card.plate)
        return [Response(text="", reasoning="", grasp=best, others=tuple(rest)) for best, *rest in found]


class GrConvNetResponder:
    """GR-ConvNet, the peer; it reads no instruction and gives no reason."""

    answer_format: AnswerFormat = "bare"
    mode = "plain"

    def __init__(self, name: str, folder: Path, *, count: int = 3) -> None:
        from graspwise.model.grconvnet import load_grconvnet

        self.name, self.count = name, count
        self.network, self.card = load_grconvnet(folder)
        self.image_size, self.takes_depth = self.card.image_size, self.network.takes_depth

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        from graspwise.model.grconvnet import network_input, read_grasps
        from graspwise.model.load import device

        maps = self.network(network_input(pictures, depth=self.takes_depth).to(device()))
        found = read_grasps(maps, count=self.count)
        return [Response(text="", reasoning="", grasp=best, others=tuple(rest)) for best, *rest in found]


def is_same(a: Grasp, b: Grasp) -> bool:
    return math.dist((a.x, a.y), (b.x, b.y)) < SAME_PLACE and angle_difference(a.theta, b.theta) < SAME_ANGLE


def open_responder(name: str, *, say: Callable[[str], None] = lambda line: None) -> Responder:
    """A responder by name.

    Args:
        name: A baseline, `http(s)://HOST:PORT/v1#MODEL`, a trained GR-ConvNet, or whatever
            `graspwise.model.load.load_model` takes.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model.
    """
    from graspwise.model.baselines import BASELINES

    if name in BASELINES:
        return BaselineResponder(name)
    if name.lower().startswith(("http://", "https://")):
        from graspwise.model.endpoint import EndpointResponder

        return EndpointResponder(name)
    from graspwise.model.grconvnet import is_grconvnet
    from graspwise.model.load import load_model, model_folder

    folder = model_folder(name)
    if folder is not None and is_grconvnet(folder):
        return GrConvNetResponder(name, folder)
    return LlavaResponder(name, load_model(name, say=say))
