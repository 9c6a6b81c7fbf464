"""A grasp model: a LLaVA, its tokenizer and picture preprocessing, and a dense head that proposes.

One class for all sizes: `small` and `llava-hf/llava-1.5-7b-hf` differ in their folders only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerBase

from graspwise.answer import AnswerFormat
from graspwise.conversation import Message
from graspwise.grasp import Grasp
from graspwise.model.grasp_map import GraspMapHead, best_grasps
from graspwise.model.names import NameTable
from graspwise.model.prompt import prompt_text


@dataclass(frozen=True)
class Card:
    """What a model folder says of its model; `graspwise.json`.

    Attributes:
        base: The published name or path of the checkpoint that the weights here belong to.
        base_sha256: Hash of that checkpoint; another base is refused.
        answer: Answer format it was trained on.
        proposals: Grasps of the dense head in its prompt.
        names: Nearest names in its prompt.
        stages: Training stages it has been through.
        projector_act: Activation between the projector's two layers, where it is not the base's own.
        trained_on: Object ids of its training data, prefixed by the data set.
        recipe: Name of the recipe.
    """

    base: str
    base_sha256: str
    answer: AnswerFormat = "reasoned"
    proposals: int = 0
    names: int = 0
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
        names: Names to compare the projector's tokens with, where it was aligned to any.
        adapter: The peft model around `llava` while its LoRA is kept apart; None where there is none or it is merged.
    """

    llava: LlavaForConditionalGeneration
    tokenizer: PreTrainedTokenizerBase
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    card: Card
    head: GraspMapHead | None = None
    names: NameTable | None = None
    adapter: Any | None = None

    @property
    def device(self) -> torch.device:
        return self.llava.device

    @property
    def image_tokens(self) -> int:
        return int(self.llava.config.image_seq_length)

    @property
    def image_token(self) -> str:
        return str(self.tokenizer.convert_ids_to_tokens(self.llava.config.image_token_id))

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
            messages, tokenizer=self.tokenizer, image_token=self.image_token, image_tokens=self.image_tokens
        )
        # A tokenizer that starts texts with a token of its own does so, unless the chat template has done it.
        starts = self.tokenizer.bos_token is not None and text.startswith(self.tokenizer.bos_token)
        return list(self.tokenizer(text, add_special_tokens=not starts)["input_ids"])

    def hints(self, pixel_values: Tensor) -> list[tuple[list[str], list[Grasp]]]:
        """Names and proposals that stand in each picture's prompt, as many as the card says."""
        names = self.recognise(pixel_values, count=self.card.names)
        return list(zip(names, self.propose(pixel_values, count=self.card.proposals), strict=True))

    @torch.inference_mode()
    def propose(self, pixel_values: Tensor, *, count: int) -> list[list[Grasp]]:
        """The dense head's best grasps of each picture, in the frame of the square picture; none without a head."""
        if self.head is None or count == 0:
            return [[] for _ in pixel_values]
        return best_grasps(self.head(self.llava.model.vision_tower.dense(pixel_values)), count=count)

    @torch.inference_mode()
    def recognise(self, pixel_values: Tensor, *, count: int) -> list[list[str]]:
        """What each picture looks like, nearest name first; none without a table of names."""
        if self.names is None or count == 0:
            return [[] for _ in pixel_values]
        seen = self.llava.model.vision_tower(pixel_values).last_hidden_state
        projector = self.llava.model.multi_modal_projector
        return self.names.nearest(projector(seen.to(projector.linear_1.weight.dtype)), count=count)
