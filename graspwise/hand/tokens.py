"""A hand's grasp as one to three tokens: a hierarchical VQ-VAE, after section 4 of SemGrasp (Li et al. 2024).

The first token, o, says where the hand is, the second, m, how it is bent and whose it is given o, the third, r, what
is still to be bettered given both. Each level sees the object by the features of its cloud, and by what lies around
the pads of the hand as the tokens before tell it; it writes a step from that hand. So what a token means is said in
the hand's frame, and holds on objects that were not learned from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from graspwise.errors import InputError
from graspwise.files import read_json, replacing, write_json
from graspwise.hand.cloud import Cloud, CloudEncoder, surroundings
from graspwise.hand.guess import Guess, Rig
from graspwise.hand.mano import load_mano
from graspwise.hand.model import HandModel, place_points
from graspwise.hand.open_hand import load_open_hand
from graspwise.hand.quantise import Codebook
from graspwise.model.load import load_part
from graspwise.model.weights import CARD

NETWORK = "hand-tokens"
WEIGHTS = "hand_tokens.safetensors"
# The tokens' names, in the order they are written.
NAMES = ("o", "m", "r")
Writes = Literal["place", "manner", "all"]


@dataclass(frozen=True, eq=False)
class Seen:
    """The objects of B hands as the levels see them.

    Attributes:
        cloud: Centred, of B objects or fewer.
        whole: (B, D) features of the whole.
        patches: (B, T, D) features of patches.
    """

    cloud: Cloud
    whole: Tensor
    patches: Tensor


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What the tokens make of B hands.

    Attributes:
        truth: The hands.
        guesses: After each level.
        numbers: (B, tokens).
        commitment: How far the vectors are from their codes, a scalar.
    """

    truth: Guess
    guesses: tuple[Guess, ...]
    numbers: Tensor
    commitment: Tensor


class Level(nn.Module):
    """One level: what is known and the truth give a vector, its code and what is known give a step.

    Args:
        writes: Which part of the hand the step moves.
        hand: Numbers that a hand has, 9 + A + S.
        shape: S.
        probes: How many vertices look around.
        features: D.
        hidden: Width of its layers.
        codes: Tokens of this level, all from one codebook.
        number: Codes of the codebook.
        width: Of a code.
    """

    def __init__(
        self, *, writes: Writes, hand: int, probes: int, features: int, hidden: int, codes: int, number: int, width: int
    ) -> None:
        super().__init__()
        self.writes, self.codes = writes, codes
        self.codebook = Codebook(number, width)
        self.around = nn.Sequential(nn.Linear(6 * probes, hidden), nn.GELU(), nn.Linear(hidden, features))
        known = 2 * features + hand
        self.encoder = nn.Sequential(
            nn.Linear(hand + known, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
            nn.Linear(hidden, codes * width),
        )  # fmt: skip
        self.reads = nn.Linear(codes * width + known, hidden)
        self.looks = nn.MultiheadAttention(hidden, 4, kdim=features, vdim=features, batch_first=True)
        steps = {"place": 9, "manner": hand - 9, "all": hand}[writes]
        self.step = nn.Sequential(
            nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(),
            nn.Linear(hidden, steps),
        )  # fmt: skip

    def vectors(self, step: Tensor, known: Tensor) -> Tensor:
        """Vectors (B, codes, width), each of the same length, of the step (B, 9 + A + S) that leads to the truth."""
        vectors = self.encoder(torch.cat([step, known], dim=1)).unflatten(1, (self.codes, -1))
        return F.layer_norm(vectors, vectors.shape[-1:])

    def forward(self, codes: Tensor, known: Tensor, patches: Tensor) -> Tensor:
        """The step that codes (B, codes, width) stand for."""
        read = self.reads(torch.cat([codes.flatten(1), known], dim=1))
        looked, _ = self.looks(read[:, None], patches, patches, need_weights=False)
        step: Tensor = self.step(read + looked[:, 0])
        return step


class HandTokens(nn.Module):
    """Hands to tokens and back.

    Clouds are in the frames of the objects' mesh files, as parameters are. Of B hands there may be fewer clouds: with
    O clouds the first B / O hands are on the first object, and so on.

    Args:
        hand: The hand model.
        levels: How many tokens a hand is; with 1 the token stands for all of the hand, with 2 there is no r.
        shared: Three tokens that are not levels: one encoder gives three vectors at once, one codebook serves all,
            and one decoder reads the three.
        number: Codes of a codebook.
        width: Of a code.
        features: Width of the cloud's features.
        hidden: Width of the levels' layers.
        probes: Vertices of the hand's pads that look around.

    Attributes:
        rig: The hand model in the form that levels need.
        levels: Tokens a hand.
        number: Codes of a codebook; a token is 0 to number - 1.
        cloud_encoder: What sees the objects.
    """

    def __init__(
        self, hand: HandModel, *, levels: Literal[1, 2, 3] = 3, shared: bool = False, number: int = 512,
        width: int = 256, features: int = 128, hidden: int = 256, probes: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        if shared and levels != 3:
            raise ValueError(f"shared tokens are three; found {levels}")
        self.rig = Rig(hand)
        self.levels, self.shared, self.number = levels, shared, number
        self.arguments = {
            "levels": levels, "shared": shared, "number": number, "width": width, "features": features,
            "hidden": hidden, "probes": probes,
        }  # fmt: skip
        self.cloud_encoder = CloudEncoder(width=features)
        self._probes = self.rig.probes(probes)
        writes: tuple[Writes, ...] = ("all",) if shared or levels == 1 else ("place", "manner", "all")[:levels]
        self._steps = nn.ModuleList(
            Level(
                writes=part, hand=self.rig.size, probes=probes, features=features, hidden=hidden,
                codes=3 if shared else 1, number=number, width=width,
            )
            for part in writes
        )  # fmt: skip

    @property
    def steps(self) -> list[Level]:
        """The levels in order; of shared tokens there is one, with three tokens."""
        return cast(list[Level], list(self._steps))

    def forward(self, parameters: Tensor, cloud: Cloud, *, own: Tensor | None = None) -> Reconstruction:
        """Hands through their tokens, for training: in training mode the codebooks learn.

        Args:
            parameters: (B, P).
            cloud: Of the objects.
            own: (B, V, 3) the hands' vertices in their own frame, where they are known already.
        """
        truth, seen = self._truth(parameters, cloud, own=own), self._see(cloud, len(parameters))
        numbers, losses = [], []

        def choose(level: Level, guess: Guess, known: Tensor) -> Tensor:
            vectors = level.vectors(self.rig.step_to(guess, truth), known)
            codes, chosen, loss = level.codebook(vectors.flatten(0, 1))
            numbers.append(chosen.unflatten(0, (-1, level.codes)))
            losses.append(loss)
            return codes.unflatten(0, (-1, level.codes))

        guesses = self._walk(seen, choose)
        return Reconstruction(truth, tuple(guesses), torch.cat(numbers, dim=1), torch.stack(losses).sum())

    @torch.no_grad()
    def encode(self, parameters: Tensor, cloud: Cloud) -> Tensor:
        """Tokens (B, levels), int64, of hands' parameters (B, P)."""
        truth, numbers = self._truth(parameters, cloud), list[Tensor]()

        def choose(level: Level, guess: Guess, known: Tensor) -> Tensor:
            vectors = level.vectors(self.rig.step_to(guess, truth), known)
            numbers.append(level.codebook.nearest(vectors.flatten(0, 1)).unflatten(0, (-1, level.codes)))
            return level.codebook.codes[numbers[-1]]

        self._walk(self._see(cloud, len(parameters)), choose)
        return torch.cat(numbers, dim=1)

    @torch.no_grad()
    def decode(self, tokens: Tensor, cloud: Cloud) -> Tensor:
        """Parameters (B, P) of tokens (B, levels); joints are within the hand's limits whatever the tokens."""
        rest = list(tokens.split([level.codes for level in self.steps], dim=1))

        def choose(level: Level, guess: Guess, known: Tensor) -> Tensor:
            return level.codebook.codes[rest.pop(0)]

        guess = self._walk(self._see(cloud, len(tokens)), choose)[-1]
        return self.rig.parameters(guess, cloud.middles.repeat_interleave(hands_each(len(tokens), cloud), 0))

    def usage(self, tokens: Tensor) -> dict[str, float]:
        """Share of each codebook's codes that are among tokens (n, levels), by the token's name."""
        if self.shared:
            return {"shared": self.steps[0].codebook.usage(tokens)}
        return {NAMES[i]: level.codebook.usage(tokens[:, i]) for i, level in enumerate(self.steps)}

    def _truth(self, parameters: Tensor, cloud: Cloud, *, own: Tensor | None = None) -> Guess:
        each = hands_each(len(parameters), cloud)
        return self.rig.truth(parameters, cloud.middles.repeat_interleave(each, 0), own=own)

    def _see(self, cloud: Cloud, count: int) -> Seen:
        cloud, each = cloud.centred, hands_each(count, cloud)
        whole, patches = self.cloud_encoder(cloud.points, cloud.normals)
        whole, patches = (features.repeat_interleave(each, 0) for features in (whole, patches))
        return Seen(cloud, whole, patches)

    def _walk(self, seen: Seen, choose: Callable[[Level, Guess, Tensor], Tensor]) -> list[Guess]:
        """The hands after each level, the codes of which `choose` gives; no gradient passes from level to level."""
        guess, guesses = self.rig.start(len(seen.whole), seen.whole.device), list[Guess]()
        for level in self.steps:
            guess = guess.detach()
            probes = place_points(guess.transform, guess.own[:, self._probes])
            around = surroundings(probes, seen.cloud, rotations=guess.transform[:, :3, :3])
            known = torch.cat([seen.whole, level.around(around.flatten(1)), self.rig.numbers(guess)], dim=1)
            step = level(choose(level, guess, known), known, seen.patches)
            if level.writes != "manner":
                guess = self.rig.moved(guess, step[:, :9])
            if level.writes != "place":
                guess = self.rig.bent(guess, step if level.writes == "manner" else step[:, 9:])
            guesses.append(guess)
        return guesses


def hands_each(count: int, cloud: Cloud) -> int:
    """How many of so many hands are on each of the objects."""
    if count % len(cloud.points):
        raise ValueError(f"{count} hands on {len(cloud.points)} objects; valid is a multiple of the objects")
    return count // len(cloud.points)


def save_hand_tokens(folder: Path, tokens: HandTokens, **facts: Any) -> None:
    """Write a model folder in fp16, which halves it; the card is written last.

    Args:
        folder: Made if need be.
        tokens: What was trained.
        facts: What else the card says.
    """
    with replacing(folder / WEIGHTS) as temporary:
        save_file({name: value.half().contiguous().cpu() for name, value in tokens.state_dict().items()}, temporary)
    write_json(
        folder / CARD, {"network": NETWORK, "hand": tokens.rig.hand.name, "arguments": tokens.arguments, **facts}
    )


def load_hand_tokens(folder: Path | str, *, mano: Path | str | None = None) -> HandTokens:
    """Hand tokens from a model folder or a run folder, ready to use.

    Args:
        folder: As `save_hand_tokens` or a run wrote it.
        mano: Where MANO's files lie, for tokens of that hand.

    Raises:
        InputError: the folder holds no hand tokens, is not whole, or MANO is needed and not there.
    """
    folder = Path(folder)
    folder = folder if (folder / CARD).is_file() else folder / "model"
    card = read_json(folder / CARD)
    if card.get("network") != NETWORK:
        raise InputError(f"{folder}: holds a {card.get('network', 'LLaVA')}; valid here are {NETWORK}")
    try:
        tokens = HandTokens(load_mano(mano) if card["hand"] == "mano" else load_open_hand(), **card["arguments"])
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{folder / CARD}: not a card of this version ({error})") from error
    load_part(tokens, folder / WEIGHTS)
    return tokens.eval().requires_grad_(False)
