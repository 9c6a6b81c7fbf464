"""A language model that reasons, answering a conversation about a square picture with the help of its dense head."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from graspwise.answer import SPT, Mode, parse_grasp, target_of
from graspwise.conversation import Message, text_of
from graspwise.errors import InputError
from graspwise.grasp import Grasp
from graspwise.model.responder import Response
from graspwise.picture import Picture

if TYPE_CHECKING:
    from torch import Tensor

    from graspwise.model.changes import Change
    from graspwise.model.decode import OnToken, Stop
    from graspwise.model.generate import Written
    from graspwise.model.grasp_model import GraspModel

# Grasps of the dense head that an answer's digits are weighed against, and that an answer ranks.
WEIGHED, RANKED = 8, 5


class LlavaResponder:
    """A grasp model: the dense head proposes, the language model reasons and writes, the map holds its digits.

    After an earlier answer the language model is shown what each sort of change comes to, and where its words name one,
    its digits are held to that. One that names its target is not shown them: they follow from what it will have named.

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
        self.mode: Mode = "grounded" if model.head is not None and (model.card.proposals or self.trust) else "plain"

    def respond(
        self,
        pictures: Sequence[Picture],
        conversations: Sequence[Sequence[Message]],
        *,
        reasonings: Sequence[str] | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: "OnToken | None" = None,
        stop: "Stop | None" = None,
    ) -> list[Response]:
        """Answers to conversations that end with a user's turn, one a square picture of side `image_size`.

        Args:
            pictures: B pictures.
            conversations: B conversations.
            reasonings: Reasons to write the numbers after, instead of the model's own.
            temperature: Above 0, tokens are drawn.
            seed: Decides what is drawn.
            on_token: Told after every token: the row, and its text so far.
            stop: Asked after every token; a row it says yes to is broken off, and its response holds no grasp.
        """
        from graspwise.model.changes import is_same, measured

        openings = None if reasonings is None else [f"{text.strip()}\n" for text in reasonings]
        written, proposals = self.write(
            pictures, conversations, constrained=True, openings=openings, temperature=temperature, seed=seed,
            on_token=on_token, stop=stop,
        )  # fmt: skip
        responses = []
        for answer, proposed in zip(written, proposals, strict=True):
            if answer.stopped:
                responses.append(Response(answer.text, answer.text, None, intervened=answer.intervened))
                continue
            if self.model.names_target and SPT not in answer.text:
                responses.append(Response(answer.text, answer.text, None, intervened=answer.intervened, refused=True))
                continue
            reasoning, grasp = parse_grasp(answer.text)
            reasoning, target = target_of(reasoning)
            chosen = next((p for p in proposed if is_same(p, grasp)), None)
            others = tuple(p for p in proposed if p is not chosen)[: RANKED - 1]
            grasp = measured(grasp, proposed)
            responses.append(Response(answer.text, reasoning, grasp, others, answer.intervened, target=target))
        return responses

    def tokens(self, conversation: Sequence[Message]) -> int:
        """Tokens of a conversation with its picture, without what the dense head will add."""
        return len(self.model.prompt_ids(conversation))

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
        on_token: "OnToken | None" = None,
        stop: "Stop | None" = None,
    ) -> "tuple[list[Written], list[list[Grasp]]]":
        """Answers, and for each the dense head's grasps, best first, that its digits were weighed against."""
        from graspwise.model.absent import is_absent, names_something, refusal
        from graspwise.model.changes import announced_change, changes, earlier_grasps, is_same, spread_grasps
        from graspwise.model.density import GraspDensity
        from graspwise.model.generate import write_answers
        from graspwise.model.grasp_map import best_grasps
        from graspwise.model.steering import mean_state

        model = self.model
        inputs = model.inputs([picture.rgb for picture in pictures])
        pixel_values = inputs["pixel_values"]
        maps, dense = None, pixel_values
        grasps: list[list[Grasp]] = [[] for _ in pictures]
        if model.head is not None:
            dense = model.look(pixel_values)
            maps = model.grasp_maps(dense)
            grasps = best_grasps(maps, count=WEIGHED, plate=model.card.plate)
        names = model.recognise(pixel_values, maps)
        in_view = model.in_view(dense) if maps is not None else [[] for _ in pictures]
        earlier = [earlier_grasps(conversation) for conversation in conversations]

        def changed(row: int, maps: "Tensor") -> "dict[str, Change]":
            if not earlier[row]:
                return {}
            return changes(spread_grasps(maps, plate=model.card.plate)[0], earlier[row])

        # Whatever names its target has grasps to choose from once it has named it, and those of other things before.
        seen = [
            {} if maps is None or model.names_target else changed(row, maps[row : row + 1])
            for row in range(len(pictures))
        ]
        prompts = [
            self.prompt(
                conversation, names=names[row], in_view=in_view[row], proposals=grasps[row][: model.card.proposals],
                changed=seen[row] if model.card.proposals else {},
            )
            for row, conversation in enumerate(conversations)
        ]  # fmt: skip

        def steered_maps(row: int, state: "Tensor", text: str) -> "Tensor":
            return model.steered_maps(dense[row :: len(pictures)], state[None], targets=[target_of(text)[1]])

        def best(maps: "Tensor") -> list[Grasp]:
            return best_grasps(maps, count=WEIGHED, plate=model.card.plate)[0]

        meant: dict[int, list[Grasp]] = {}

        def density(row: int, ids: Sequence[int], states: "Tensor") -> GraspDensity:
            state = mean_state(states, ids, model.spt[1]) if model.names_target else None
            named = None if state is None else steered_maps(row, state, model.text_of(ids))
            if named is not None:
                meant[row] = best(named)
            ranked = meant.get(row, grasps[row])
            found = seen[row] if named is None else changed(row, named)
            change = announced_change(model.text_of(ids), found)
            if change is not None:
                meant[row] = [change.grasp, *(g for g in ranked if not is_same(g, change.grasp))]
                return GraspDensity.of([change.grasp], trust=0)
            return GraspDensity.of(ranked, trust=self.trust)

        # Whoever names nothing gets a grasp of anything.
        may_refuse = [names_something(text_of(conversation[-1])) for conversation in conversations]
        # Whose answers may name what is not there: each is looked at once, when it has named its target.
        doubted = {row for row, may in enumerate(may_refuse) if may and model.names_target and model.scene_names}
        refused: dict[int, str] = {}

        def told(row: int, text: str) -> None:
            if row in doubted and text.count(SPT) > 1:
                doubted.discard(row)
                target, seen = target_of(text)[1], model.scene_names
                if seen is not None and target is not None:
                    likely = seen.likely(dense[row :: len(pictures)])
                    if is_absent(seen, likely, target):
                        refused[row] = refusal(target, seen.in_view(likely)[0])
            if on_token is not None and row not in refused:
                on_token(row, text)

        def over(row: int) -> bool:
            return row in refused or (stop is not None and stop(row))

        written = write_answers(
            model, prompts, inputs, answer_format=self.answer_format, constrained=constrained, may_refuse=may_refuse,
            openings=openings, density=density if self.trust and maps is not None else None,
            temperature=temperature, seed=seed, on_token=told if doubted or on_token else None,
            stop=over if doubted or stop else None,
        )  # fmt: skip
        written = [
            replace(answer, text=refused[row], state=None, stopped=False) if row in refused else answer
            for row, answer in enumerate(written)
        ]
        for row, answer in enumerate(written):
            # Where no digits were weighed, nobody has asked for the target's grasps yet.
            if answer.state is not None and row not in meant:
                meant[row] = best(steered_maps(row, answer.state, answer.text))
        return written, [meant.get(row, found) for row, found in enumerate(grasps)]

    def prompt(
        self,
        conversation: Sequence[Message],
        *,
        names: Sequence[str],
        in_view: Sequence[str],
        proposals: Sequence[Grasp],
        changed: "Mapping[str, Change]",
    ) -> list[int]:
        """Token ids; names and proposals are written into the first user's turn, changes into the last.

        Raises:
            InputError: the language model cannot read so many and still answer.
        """
        from graspwise.conversation import user_turn
        from graspwise.model.changes import with_changes
        from graspwise.model.generate import FREE_TOKENS
        from graspwise.model.prompt import with_hints

        first, *rest = conversation
        asked = with_hints(text_of(first), names=names, proposals=proposals, in_view=in_view)
        if rest and changed:
            rest[-1] = user_turn(with_changes(text_of(rest[-1]), changed), image=False)
        ids = self.model.prompt_ids([user_turn(asked), *rest])
        context = self.model.context
        if context is not None and len(ids) > context - FREE_TOKENS:
            raise InputError(
                f"the conversation: {len(ids)} tokens with its picture; valid for model {self.name} is at most "
                f"{context - FREE_TOKENS}; take a turn back, or say it in fewer words"
            )
        return ids
