"""A language model that sees an object and writes a hand's grasp on it, or says what a grasp is like.

After section 4 of SemGrasp (Li et al. 2024): the object's point features go through a projector into the language
model, with a token that tells its size, and a grasp stands in the text as `<SG> o m r <EG>`. These tokens have
embeddings and output rows of their own, beside the base's, which stay what they are. Its LoRA lies in `adapter/`.

A conversation is a line of numbers: the base's tokens, then this module's, then places for an object's features.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.hand.causal import Causal, Turn, load_causal
from graspwise.hand.cloud import PLACE, Cloud
from graspwise.hand.tokens import NAMES, HandTokens, load_hand_tokens, save_hand_tokens
from graspwise.model.load import Say, device, load_part
from graspwise.model.prompt import plain
from graspwise.model.save import ADAPTER, PROJECTOR, save_adapter, save_part
from graspwise.model.weights import CARD, PUBLISHED

NETWORK = "hand-language"
TOKENS, WORDS = "tokens", "words.safetensors"
# What stands in a conversation's text for an object and for a grasp; nobody types these.
OBJECT, GRASP = "\ue000", "\ue001"
DESCRIBE = "What is this grasp like?"


@dataclass(frozen=True)
class TalkerCard:
    """What a model folder says of its hand language model; `graspwise.json`.

    Attributes:
        base: Name or path of the language model.
        base_sha256: Hash of that model; another one is refused.
        stages: Training stages it has been through.
        trained_on: Object ids of its training data.
        recipe: Name of the recipe.
    """

    base: str
    base_sha256: str
    stages: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    recipe: str = ""


class ObjectProjector(nn.Module):
    """What the language model sees of objects: their size, the whole, and their patches.

    Args:
        features: D of the cloud encoder.
        hidden: H of the language model.
        norm: Length that its token embeddings have; another one is noise to it.
    """

    def __init__(self, features: int, hidden: int, *, norm: float) -> None:
        super().__init__()
        self.size = nn.Linear(2, hidden)
        self.features = nn.Linear(features, hidden)
        self.scale = nn.Parameter(torch.full((hidden,), norm / hidden**0.5))

    def forward(self, sizes: Tensor, features: Tensor) -> Tensor:
        """(B, 1 + n, H) of sizes (B,), metres, and features (B, n, D)."""
        told = self.size(torch.stack([sizes / PLACE, (sizes / PLACE).log()], dim=-1))
        joined = torch.cat([told[:, None], self.features(features)], dim=1)
        return F.layer_norm(joined, joined.shape[-1:]) * self.scale


class HandTalker(nn.Module):
    """A language model, hand tokens and what lies between them.

    Args:
        causal: The language model.
        tokens: The hand tokens, trained and frozen; its cloud encoder sees the objects.
        card: Where it comes from.

    Attributes:
        causal: The language model, with LoRA in it once there is some; not among this module's own weights.
        projector: Objects into the language model.
        words: Embeddings of <SG>, <EG> and the hand tokens.
        reads: Their output rows.
        adapter: The peft model around the language model while its LoRA is kept apart; None where there is none or it
            is merged.
    """

    def __init__(self, causal: Causal, tokens: HandTokens, card: TalkerCard) -> None:
        super().__init__()
        self.causal, self.tokens, self.card = causal, tokens, card
        self.adapter: Any | None = None
        known = causal.body.get_input_embeddings()
        self.vocabulary, hidden = known.num_embeddings, known.embedding_dim
        norm = float(known.weight.float().norm(dim=1).mean())
        self.projector = ObjectProjector(tokens.cloud_encoder.width, hidden, norm=norm)
        count = 2 + tokens.levels * tokens.number
        self.words = nn.Embedding(count, hidden)
        self.reads = nn.Linear(hidden, count, bias=False)
        for weight in (self.words.weight, self.reads.weight):
            nn.init.normal_(weight, std=norm / hidden**0.5)
        # Of one conversation: size, whole, patches.
        self.places = 2 + tokens.cloud_encoder.patches
        self.to(next(causal.body.parameters()).device)

    @property
    def device(self) -> torch.device:
        return self.words.weight.device

    # ---- numbers of tokens

    @property
    def begin(self) -> int:
        """<SG>."""
        return self.vocabulary

    @property
    def end(self) -> int:
        """<EG>."""
        return self.vocabulary + 1

    def code(self, level: int, number: int) -> int:
        """The token of a code of a level."""
        return self.vocabulary + 2 + level * self.tokens.number + number

    def grasp_ids(self, tokens: Sequence[int]) -> list[int]:
        """`<SG> o m r <EG>` of hand tokens."""
        return [self.begin, *(self.code(level, number) for level, number in enumerate(tokens)), self.end]

    def codes_in(self, ids: Sequence[int]) -> tuple[int, ...]:
        """The hand tokens of an answer."""
        first = list(ids).index(self.begin) + 1
        written = ids[first : first + self.tokens.levels]
        return tuple(token - self.code(level, 0) for level, token in enumerate(written))

    def spelled(self, tokens: Sequence[int]) -> str:
        """Hand tokens for people, as `<SG> o_17 m_200 r_5 <EG>`."""
        return " ".join(["<SG>", *(f"{NAMES[i]}_{number}" for i, number in enumerate(tokens)), "<EG>"])

    # ---- conversations

    def prompt_ids(self, turns: Sequence[Turn], grasps: Sequence[Sequence[int]] = ()) -> list[int]:
        """Token ids of a conversation about one object up to where the next answer starts.

        Args:
            turns: What was said; `OBJECT` is put before the first.
            grasps: Hand tokens of each `GRASP` in the turns, in order.
        """
        text = self.causal.chat_text([(role, OBJECT + words if i == 0 else words) for i, (role, words) in
                                      enumerate(turns)])  # fmt: skip
        rest, ids = list(grasps), list[int]()
        starts = self.causal.tokenizer.bos_token
        for piece in re.split(f"([{OBJECT}{GRASP}])", text):
            if piece == OBJECT:
                first = self.vocabulary + self.words.num_embeddings
                ids += range(first, first + self.places)
            elif piece == GRASP:
                ids += self.grasp_ids(rest.pop(0))
            elif piece:
                whole = not ids and not (starts and text.startswith(starts))
                ids += self.causal.tokenizer(piece, add_special_tokens=whole)["input_ids"]
        return ids

    def answer_ids(self, words: str, tokens: Sequence[int] | None) -> list[int]:
        """Token ids of an answer, its end of turn last; without hand tokens it is words alone."""
        ids = list(self.causal.tokenizer(words, add_special_tokens=False)["input_ids"])
        return [*ids, *(self.grasp_ids(tokens) if tokens is not None else ()), self.causal.end_of_turn]

    def cleaned(self, words: str) -> str:
        """A user's words without what only this module or the template may write."""
        specials = sorted(self.causal.tokenizer.get_added_vocab(), key=len, reverse=True)
        return " ".join(plain({"type": "text", "text": words}, [*specials, OBJECT, GRASP])["text"].split())

    # ---- through the language model

    def look(self, cloud: Cloud) -> Tensor:
        """What the language model sees of B objects, (B, places, H)."""
        cloud = cloud.to(self.device).centred
        with torch.no_grad():
            whole, patches = self.tokens.cloud_encoder(cloud.points, cloud.normals)
        sizes = (cloud.points.amax(1) - cloud.points.amin(1)).amax(1)
        return self.projector(sizes, torch.cat([whole[:, None], patches], dim=1))

    def embed(self, ids: Tensor, seen: Tensor) -> Tensor:
        """Embeddings (B, L, H) of token ids (B, L), each row about one of the objects seen (B, places, H)."""
        known = self.causal.body.get_input_embeddings()(ids.clamp(max=self.vocabulary - 1))
        own = ids - self.vocabulary
        place = own - self.words.num_embeddings
        rows = torch.arange(len(ids), device=ids.device)[:, None]
        written = self.words(own.clamp(0, self.words.num_embeddings - 1))
        added = torch.where((place >= 0)[..., None], seen[rows, place.clamp(min=0)], written)
        return torch.where((own >= 0)[..., None], added.to(known.dtype), known)

    def logits(self, states: Tensor) -> Tensor:
        """Logits (..., V + own tokens), float32, of last hidden states (..., H)."""
        return torch.cat([self.causal.head(states).float(), self.reads(states.float()).float()], dim=-1)

    def own_parameters(self, *, projector: bool) -> dict[str, nn.Parameter]:
        """What is learned beside LoRA: the tokens' rows, and the projector if asked."""
        parts = {"words": self.words, "reads": self.reads} | ({"projector": self.projector} if projector else {})
        return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.named_parameters()}

    @torch.no_grad()
    def parameters_of(self, tokens: Sequence[int], cloud: Cloud) -> np.ndarray:
        """The hand's parameters (P,) float32 that hand tokens stand for on one object."""
        written = torch.tensor([list(tokens)], device=self.device)
        return self.tokens.decode(written, cloud.to(self.device))[0].float().cpu().numpy()

    @torch.no_grad()
    def tokens_of(self, parameters: np.ndarray, cloud: Cloud) -> tuple[int, ...]:
        """Hand tokens of a hand's parameters (P,) on one object."""
        given = torch.from_numpy(np.asarray(parameters, np.float32))[None].to(self.device)
        return tuple(self.tokens.encode(given, cloud.to(self.device))[0].tolist())


def save_talker(folder: Path, talker: HandTalker) -> None:
    """Write a model folder, all but the base, in half precision; the card is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    save_hand_tokens(folder / TOKENS, talker.tokens)
    save_part(talker.projector, folder / PROJECTOR)
    save_part(nn.ModuleDict({"words": talker.words, "reads": talker.reads}), folder / WORDS)
    if talker.adapter is not None:
        save_adapter(folder / ADAPTER, talker.adapter, base=talker.card.base)
    write_json(folder / CARD, {"network": NETWORK, **asdict(talker.card)})


def talker_folder(name: str) -> Path | None:
    """The model folder that a published name, a run folder or a model folder stands for, if any."""
    for folder in (PUBLISHED / name, Path(name), Path(name) / "model"):
        if (folder / CARD).is_file() and read_json(folder / CARD).get("network") == NETWORK:
            return folder
    return None


def load_talker(
    name: str, *, merged: bool = True, mano: Path | str | None = None, say: Say = lambda line: None
) -> HandTalker:
    """A hand language model by name.

    Args:
        name: A published name, a run folder or a model folder.
        merged: Merge an adapter into the weights; False keeps it apart, trainable.
        mano: Where MANO's files lie, for a model of that hand.
        say: Called with a line when something slow happens.

    Raises:
        InputError: there is no such model, or its parts do not belong together.
    """
    folder = talker_folder(name)
    if folder is None:
        raise InputError(f"model {name!r}: holds no hand language model; valid is a run of hand-align or hand-instruct")
    value = {key: entry for key, entry in read_json(folder / CARD).items() if key != "network"}
    try:
        card = TalkerCard(**{**value, "stages": tuple(value["stages"]), "trained_on": tuple(value["trained_on"])})
    except (TypeError, KeyError) as error:
        raise InputError(f"{folder / CARD}: not a card of this version ({error})") from error
    causal = load_causal(card.base, say=say)
    if causal.sha256 != card.base_sha256:
        raise InputError(
            f"{folder / CARD}: made for a base {card.base} with sha256 {card.base_sha256[:12]}; found "
            f"{causal.sha256[:12]}; give the base it was trained from"
        )
    talker = HandTalker(causal, load_hand_tokens(folder / TOKENS, mano=mano).to(device()), card)
    load_part(talker.projector, folder / PROJECTOR)
    load_part(nn.ModuleDict({"words": talker.words, "reads": talker.reads}), folder / WORDS)
    if (folder / ADAPTER).is_dir():
        from peft import PeftModel

        adapted = PeftModel.from_pretrained(causal.body, folder / ADAPTER, is_trainable=not merged)
        if merged:
            adapted.merge_and_unload()
        else:
            talker.adapter = adapted
    return talker.eval()
