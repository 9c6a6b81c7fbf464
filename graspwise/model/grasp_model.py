"""A grasp model: a LLaVA, its tokenizer and picture preprocessing, and a dense head that proposes.

One class for all sizes: `small` and `llava-hf/llava-1.5-7b-hf` differ in their folders only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerBase

from graspwise.answer import AnswerFormat
from graspwise.conversation import Message
from graspwise.errors import InputError
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
from graspwise.model.steering import SPARE, SteeredHead, spt_token, unspelled

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
        projector_act: Activation between the projector's two layers, where it is not the base's own.
        trained_on: Object ids of its training data, prefixed by the data set.
        recipe: Name of the recipe.
    """

    base: str
    base_sha256: str
    answer: AnswerFormat = "reasoned"
    proposals: int = 0
    names: int = 0
    trust: float = 0.0
    plate: float = 0.0
    stages: tuple[str, ...] = ()
    projector_act: str = ""
    trained_on: tuple[str, ...] = ()
    recipe: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class GraspModel:
    """A model ready to answer.

    Attributes:
        llava: The language model with its vision tower and projector.
        tokenizer: Its tokenizer, with a chat template.
        image_size: Side of the square picture that the tower takes, pixels.
        mean: Per channel, of pixel values scaled to 0..1.
        std: Likewise.
        card: Where it comes from and how it was trained.
        head: Dense grasp head on the tower, where there is one.
        steered: Dense grasp head that the answer's target steers, where there is one.
        scene_names: Names of the things in a picture of several, where there are such.
        memory: Photographs to compare a picture with, for its likely names.
        adapter: The peft model around `llava` while its LoRA is kept apart; None where there is none or it is merged.
    """

    llava: LlavaForConditionalGeneration
    tokenizer: PreTrainedTokenizerBase
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    card: Card
    head: GraspMapHead | None = None
    steered: SteeredHead | None = None
    scene_names: SceneNames | None = None
    memory: Memory | None = None
    adapter: Any | None = None

    @property
    def device(self) -> torch.device:
        return self.llava.device

    @property
    def names_target(self) -> bool:
        """Whether its answers name a target between two [SPT], which steers a dense head."""
        return self.steered is not None and self.card.answer == "reasoned"

    @property
    def image_tokens(self) -> int:
        return int(self.llava.config.image_seq_length)

    @property
    def image_token(self) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(self.llava.config.image_token_id))

    @property
    def context(self) -> int | None:
        """How many tokens the language model reads and writes at most; None where its config sets no limit."""
        return getattr(self.llava.config.text_config, "max_position_embeddings", None)

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer."""
        token = self.tokenizer.eos_token_id
        return int(token[0] if isinstance(token, list) else token)

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
        rows = self.llava.lm_head.weight.detach()
        like = torch.nn.functional.cosine_similarity(rows, rows[self.spt[1]][None], dim=1) > ALIKE
        like[[self.spt[1], self.end_of_turn]] = False
        return like

    def text_of(self, ids: Sequence[int]) -> str:
        """The text of an answer's tokens up to the end of the turn; of the special tokens only [SPT] is written out."""
        ids = ids[: ids.index(self.end_of_turn)] if self.end_of_turn in ids else ids
        if not self.names_target:
            return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        spelling, spt = self.spt
        special = {i for i, token in self.tokenizer.added_tokens_decoder.items() if token.special} - {spt}
        return unspelled(self.tokenizer.decode([i for i in ids if i not in special]), spelling)

    @cached_property
    def grammar_tokens(self) -> Any:
        """The vocabulary as llguidance takes it, which is a third of a second's work."""
        from llguidance.hf import from_tokenizer

        vocabulary = self.llava.config.text_config.vocab_size
        return from_tokenizer(self.tokenizer, n_vocab=vocabulary, eos_token=self.end_of_turn)

    def pixel_values(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """Square pictures (S, S, 3) uint8 -> normalised (B, 3, S, S) in the tower's type."""
        batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(255)
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.mean, self.std))
        dtype = next(self.llava.model.vision_tower.parameters()).dtype
        values = ((batch - mean) / std).to(dtype=dtype, device=self.llava.device)
        return values.contiguous(memory_format=torch.channels_last)

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids up to where the answer starts."""
        text = prompt_text(
            messages,
            tokenizer=self.tokenizer,
            image_token=self.image_token,
            image_tokens=self.image_tokens,
            spt=self.spt[0] if self.names_target else None,
        )
        # A tokenizer that starts texts with a token of its own does so, unless the chat template has done it.
        starts = self.tokenizer.bos_token is not None and text.startswith(self.tokenizer.bos_token)
        return list(self.tokenizer(text, add_special_tokens=not starts)["input_ids"])

    @torch.inference_mode()
    def look(self, pixel_values: Tensor) -> Tensor:
        """What the dense head reads: the tower's maps of the eight symmetric views of each picture, (8 B, C, h, w)."""
        dense: Tensor = self.llava.model.vision_tower.dense(symmetric_views(pixel_values))
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
        tower = self.llava.model.vision_tower
        centre = torch.full((len(pixel_values), 2), 0.5) if maps is None else middle_of_quality(maps).cpu()
        views = [pixel_values, *(closer(pixel_values, centre=centre, times=times) for times in CLOSER)]
        return torch.stack([tower.whole(view).float() for view in views], dim=1)
