"""A grasp model: a vision-language model with its family's adapter, and for ours a dense head that proposes.

One class for all sizes and families: `small` and `llava-hf/llava-1.5-7b-hf` differ in their folders only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from graspwise.answer import AnswerFormat
from graspwise.conversation import Message
from graspwise.errors import InputError
from graspwise.model.drafts import Phrases
from graspwise.model.grasp_map import (
    SYMMETRIES,
    GraspMapHead,
    middle_of_quality,
    symmetric_mean,
    symmetric_views,
)
from graspwise.model.memory import CLOSER, Memory, closer
from graspwise.model.prompt import prompt_text
from graspwise.model.scene_names import SceneNames
from graspwise.model.steering import SPARE, SteeredHead, spelled, spt_token, unspelled
from graspwise.vlm.adapter import Adapter, Inputs
from graspwise.vlm.coordinates import FRACTION, Coordinates

# Cosine of two rows that are as good as one.
ALIKE = 0.9
# Quality that a grasp keeps where the named thing surely is not: its name may be wrong. Chosen on validation scenes.
ELSEWHERE = 0.02


@dataclass(frozen=True)
class Card:
    """What a model folder says of its model; `graspwise.json`.

    Attributes:
        base: The published name or path of the checkpoint that the weights here belong to.
        base_sha256: Hash of that checkpoint; another base is refused.
        answer: Answer format it was trained on.
        proposals: Grasps of the dense head in its prompt.
        names: Likeliest names in its prompt.
        trust: Power of a proposal's quality in its weight against the language model's digits; 0 leaves them free.
        stages: Training stages it has been through.
        plate: Length of a grasp rectangle's jaw plate, fraction of the picture's width: the median of the training
            labels, since a gripper's plates are as long whatever it holds; 0 leaves it at half the opening.
        coordinates: Convention of the places in what it reads and writes.
        projector_act: Activation between the projector's two layers, where it is not the base's own.
        trained_on: Object ids of its training data, prefixed by the data set.
        recipe: Name of the recipe.
        merged: Whether the folder holds a whole checkpoint, all that training changed in it: an export.
    """

    base: str
    base_sha256: str
    answer: AnswerFormat = "reasoned"
    proposals: int = 0
    names: int = 0
    trust: float = 0.0
    plate: float = 0.0
    stages: tuple[str, ...] = ()
    coordinates: str = FRACTION.name
    projector_act: str = ""
    trained_on: tuple[str, ...] = ()
    recipe: str = ""
    merged: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class GraspModel:
    """A model ready to answer.

    Attributes:
        vlm: The vision-language model.
        family: What its family of models does in its own way.
        card: Where it comes from and how it was trained.
        head: Dense grasp head on the tower, where there is one.
        steered: Dense grasp head that the answer's target steers, where there is one.
        scene_names: Names of the things in a picture of several, where there are such.
        memory: Photographs to compare a picture with, for its likely names.
        adapter: The peft model around `vlm` while its LoRA is kept apart; None where there is none or it is merged.
        taught: Reasons that it was taught, for drafts of its answers.
    """

    vlm: PreTrainedModel
    family: Adapter
    card: Card
    head: GraspMapHead | None = None
    steered: SteeredHead | None = None
    scene_names: SceneNames | None = None
    memory: Memory | None = None
    adapter: Any | None = None
    taught: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
        return self.vlm.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights that do not learn."""
        return next(self.family.parts(self.vlm).tower.parameters()).dtype

    @property
    def names_target(self) -> bool:
        """Whether its answers name a target between two [SPT], which steers a dense head."""
        return self.steered is not None and self.card.answer == "reasoned"

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer, with a chat template."""
        return self.family.tokenizer

    @property
    def image_size(self) -> int:
        """Side of the square pictures it takes, pixels."""
        return self.family.image_size

    @property
    def image_tokens(self) -> int:
        """How many tokens a picture takes."""
        return self.family.image_tokens

    @property
    def coordinates(self) -> Coordinates:
        """How it reads and writes places."""
        return FRACTION if self.card.coordinates == FRACTION.name else self.family.coordinates

    @property
    def context(self) -> int | None:
        """How many tokens the language model reads and writes at most; None where its config sets no limit."""
        return getattr(self.vlm.config.text_config, "max_position_embeddings", None)

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer."""
        return self.family.end_of_turn

    @cached_property
    def spt(self) -> tuple[str, int]:
        """Spelling and id of the token that stands for [SPT].

        Raises:
            InputError: the tokenizer has none to spare.
        """
        name = spt_token(self.tokenizer)
        if name is None:
            raise InputError(f"model {self.card.base}: its tokenizer has no spare token; valid is one of {SPARE}")
        return name, int(self.tokenizer.convert_tokens_to_ids(name))

    @cached_property
    def like_spt(self) -> Tensor:
        """(V,) bool: tokens that nobody has trained, whose output rows are nearly [SPT]'s own.

        No state can prefer one of them to the others, so they stand back where [SPT] may be written.
        """
        rows = self.vlm.get_output_embeddings().weight.detach()
        like = torch.nn.functional.cosine_similarity(rows, rows[self.spt[1]][None], dim=1) > ALIKE
        like[[self.spt[1], self.end_of_turn]] = False
        return like

    def text_of(self, ids: Sequence[int]) -> str:
        """The text of an answer's tokens up to the end of the turn, its points in the project's coordinates.

        Of the special tokens only [SPT] is written out.
        """
        ids = ids[: ids.index(self.end_of_turn)] if self.end_of_turn in ids else ids
        if not self.names_target:
            return self.coordinates.read(str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip())
        spelling, spt = self.spt
        special = {i for i, token in self.tokenizer.added_tokens_decoder.items() if token.special} - {spt}
        return unspelled(self.tokenizer.decode([i for i in ids if i not in special]), spelling)

    @cached_property
    def phrases(self) -> Phrases:
        """How the reasons that it was taught go on, word by word."""
        lines = [spelled(text, self.spt[0]) if self.names_target else text for text in self.taught]
        tail = self.coordinates.schema.template(self.card.answer).partition("{")[0]
        texts = [f"{line}\n{tail}" for line in lines] if self.card.answer == "reasoned" else []
        return Phrases(self.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else [])

    @cached_property
    def grammar_tokens(self) -> Any:
        """The vocabulary as llguidance takes it, which is a third of a second's work."""
        from llguidance.hf import from_tokenizer

        vocabulary = self.vlm.config.text_config.vocab_size
        return from_tokenizer(self.tokenizer, n_vocab=vocabulary, eos_token=self.end_of_turn)

    def inputs(self, pictures: Sequence[np.ndarray]) -> Inputs:
        """What the vision-language model takes of square pictures (S, S, 3) uint8, in its type and on its device."""
        form = torch.channels_last if self.family.channels_last else torch.contiguous_format
        ready = {
            name: value.to(dtype=self.dtype if value.is_floating_point() else None, device=self.device)
            for name, value in self.family.inputs(pictures).items()
        }
        return {name: value.contiguous(memory_format=form) for name, value in ready.items()}

    def pixel_values(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """Square pictures (S, S, 3) uint8 -> what the tower takes of them, of ours (B, 3, S, S)."""
        return self.inputs(pictures)["pixel_values"]

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids up to where the answer starts."""
        text = prompt_text(
            messages,
            tokenizer=self.tokenizer,
            image_token=self.family.image_token,
            image_text=self.family.image_text,
            coordinates=self.coordinates,
            spt=self.spt[0] if self.names_target else None,
        )
        # A tokenizer that starts texts with a token of its own does so, unless the chat template has written it.
        starts = self.tokenizer.bos_token is not None and self.tokenizer.bos_token in text
        return list(self.tokenizer(text, add_special_tokens=not starts)["input_ids"])

    @torch.inference_mode()
    def look(self, pixel_values: Tensor) -> Tensor:
        """What the dense head reads: the tower's maps of the eight symmetric views of each picture, (8 B, C, h, w)."""
        dense: Tensor = self.vlm.model.vision_tower.dense(symmetric_views(pixel_values))
        return dense

    @torch.inference_mode()
    def grasp_maps(self, dense: Tensor) -> Tensor:
        """The dense head's maps (B, 6, h, w) of what `look` returned.

        Raises:
            ValueError: the model has no dense head.
        """
        if self.head is None:
            raise ValueError("this model has no dense head")
        return symmetric_mean(self.head(dense))

    @torch.inference_mode()
    def steered_maps(self, dense: Tensor, states: Tensor, *, targets: Sequence[str | None] = ()) -> Tensor:
        """The steered head's maps (B, 6, h, w) of what `look` returned, for states (B, D) of the language model.

        Args:
            dense: (8 B, C, h, w).
            states: (B, D).
            targets: What the states name, for the names at the cells to weigh the quality; None where nobody knows.

        Raises:
            ValueError: the model has no steered head.
        """
        if self.steered is None:
            raise ValueError("this model has no steered head")
        maps = symmetric_mean(self.steered(dense, states.repeat(len(dense) // len(states), 1))[0])
        names = self.scene_names
        places = [None if names is None or target is None else names.place(target) for target in targets]
        if names is None or all(place is None for place in places):
            return maps
        likely = names.likely(dense)
        for row, place in enumerate(places):
            if place is not None:
                there = (likely[row, place] + ELSEWHERE) / (1 + ELSEWHERE)
                maps[row, 0] = (maps[row, 0].sigmoid() * there).logit(eps=1e-9)
        return maps

    @torch.inference_mode()
    def recognise(
        self, pixel_values: Tensor, maps: Tensor | None, *, besides: Sequence[str] | None = None
    ) -> list[list[str]]:
        """What each picture looks like, as many names as the card says, likeliest first; none without a memory.

        Args:
            pixel_values: (B, 3, S, S).
            maps: The dense head's maps, whose best grasps say where to look closer; None for the middle.
            besides: An object id a picture, whose photographs are not asked.
        """
        if self.memory is None or self.card.names == 0:
            return [[] for _ in pixel_values]
        return self.memory.nearest(self.looks(pixel_values, maps), count=self.card.names, besides=besides)

    @torch.inference_mode()
    def in_view(self, dense: Tensor) -> list[list[str]]:
        """Names of the things in each picture, of what `look` returned; none without scene names."""
        if self.scene_names is None:
            return [[] for _ in range(len(dense) // len(SYMMETRIES))]
        return self.scene_names.in_view(self.scene_names.likely(dense))

    @torch.inference_mode()
    def looks(self, pixel_values: Tensor, maps: Tensor | None) -> Tensor:
        """Vectors (B, 1 + closer looks, D) of the tower; arguments as in `recognise`."""
        tower = self.vlm.model.vision_tower
        centre = torch.full((len(pixel_values), 2), 0.5) if maps is None else middle_of_quality(maps).cpu()
        views = [pixel_values, *(closer(pixel_values, centre=centre, times=times) for times in CLOSER)]
        return torch.stack([tower.whole(view).float() for view in views], dim=1)
