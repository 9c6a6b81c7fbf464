"""A hand as the tokens know it so far, and the steps that better it; all differentiable.

The object's middle is the origin. A step moves the hand in its own frame and turns it about its grip, the middle of
its pads, so that a small turn leaves fingertips near where they were.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graspwise.hand.cloud import PLACE, far_apart
from graspwise.hand.model import HandModel, Layout, nine_from_transform, place_points, transform_from_nine

# A joint's guess stays this share of its range away from either end, where the sigmoid is flat.
EDGE = 0.01


@dataclass(frozen=True, eq=False)
class Guess:
    """B hands.

    Attributes:
        transform: (B, 4, 4) `T_object_hand`, the object's middle being the origin.
        bend: (B, A) articulation; any number is within the limits, see `Rig.articulation`.
        shape: (B, S) standard deviations.
        own: (B, V, 3) metres: vertices in the hand's own frame.
    """

    transform: Tensor
    bend: Tensor
    shape: Tensor
    own: Tensor

    @property
    def vertices(self) -> Tensor:
        """(B, V, 3) metres, the object's middle being the origin."""
        return place_points(self.transform, self.own)

    def detach(self) -> "Guess":
        return Guess(self.transform.detach(), self.bend.detach(), self.shape.detach(), self.own.detach())


class Rig:
    """What of a hand model guesses are made with.

    Args:
        hand: The model.

    Attributes:
        hand: The model.
        layout: Its layout of parameters.
        grip: (3,) metres, the middle of the resting hand's pads in its own frame.
    """

    def __init__(self, hand: HandModel) -> None:
        self.hand = hand
        layout = hand.layout
        self.layout = Layout(layout.articulation, layout.shape)
        still = torch.eye(4)[None]
        self._rest = hand.pose(still, hand.rest[None], torch.zeros(1, layout.shape)).vertices
        self._pads = torch.cat([torch.from_numpy(pad) for pad in hand.pads.values()])
        self.grip = self._rest[0, self._pads].mean(0)

    @property
    def size(self) -> int:
        """Numbers that `numbers` and `step_to` give a hand."""
        return self.layout.size

    def probes(self, count: int) -> Tensor:
        """Vertices (count,) of the pads that lie far from each other."""
        return self._pads[far_apart(self._rest[:, self._pads] - self.grip, count)[0]]

    def start(self, count: int, device: torch.device) -> Guess:
        """`count` resting hands with the object's middle in their grip."""
        transform = torch.eye(4)
        transform[:3, 3] = -self.grip
        bend = self.bend(self.hand.rest[None])
        shape = torch.zeros(1, self.layout.shape)
        start = (transform[None], bend, shape, self._rest)
        return Guess(*(part.to(device).expand(count, *part.shape[1:]) for part in start))

    def truth(self, parameters: Tensor, middles: Tensor, *, own: Tensor | None = None) -> Guess:
        """Hands of parameters (B, P) on objects with these middles (B, 3); `own` where it is known already."""
        transform, articulation, shape = self.layout.split(parameters)
        shift = torch.zeros_like(transform)
        shift[:, :3, 3] = middles
        own = self.own(articulation, shape) if own is None else own
        return Guess(transform - shift, self.bend(articulation), shape, own)

    def parameters(self, guess: Guess, middles: Tensor) -> Tensor:
        """(B, P), the inverse of `truth`."""
        shift = torch.zeros_like(guess.transform)
        shift[:, :3, 3] = middles
        return self.layout.join(guess.transform + shift, self.articulation(guess.bend), guess.shape)

    def articulation(self, bend: Tensor) -> Tensor:
        """Radians (B, A) within the limits, of any numbers (B, A)."""
        low, high = self.hand.limits.to(bend).T
        return low + (high - low) * bend.sigmoid()

    def bend(self, articulation: Tensor) -> Tensor:
        """The inverse of `articulation`; angles near a limit or beyond are taken a little within."""
        low, high = self.hand.limits.to(articulation).T
        return ((articulation - low) / (high - low)).clamp(EDGE, 1 - EDGE).logit()

    def numbers(self, guess: Guess) -> Tensor:
        """(B, 9 + A + S) numbers of about 1 that say what a guess is."""
        place = nine_from_transform(guess.transform)
        grip = place_points(guess.transform, self.grip.to(place).expand(len(place), 1, 3))[:, 0]
        return torch.cat([place[:, :6], grip / PLACE, 2 * guess.bend.sigmoid() - 1, guess.shape], dim=1)

    def step_to(self, guess: Guess, truth: Guess) -> Tensor:
        """(B, 9 + A + S) the step that `moved` takes from a guess to the truth."""
        turn = guess.transform[:, :3, :3].mT @ truth.transform[:, :3, :3]
        grip = self.grip.to(turn)
        ahead = guess.transform[:, :3, :3].mT @ (truth.transform - guess.transform)[:, :3, 3:]
        offset = ahead[..., 0] + turn @ grip - grip
        columns = torch.cat([turn[..., 0], turn[..., 1]], dim=1) - _columns(turn)
        return torch.cat([columns, offset / PLACE, truth.bend - guess.bend, truth.shape - guess.shape], dim=1)

    def moved(self, guess: Guess, place: Tensor) -> Guess:
        """A guess after a step of its place (B, 9): two columns of a turn less the identity's, and an offset."""
        turn = transform_from_nine(torch.cat([place[:, :6] + _columns(place), place[:, 6:] * PLACE], dim=1))
        grip = self.grip.to(place)
        turn_about_grip = turn.clone()
        turn_about_grip[:, :3, 3] = turn[:, :3, 3] + grip - turn[:, :3, :3] @ grip
        return replace(guess, transform=guess.transform @ turn_about_grip)

    def bent(self, guess: Guess, manner: Tensor) -> Guess:
        """A guess after a step of its articulation and shape (B, A + S)."""
        bend, shape = manner.split([self.layout.articulation, self.layout.shape], dim=1)
        bend, shape = guess.bend + bend, guess.shape + shape
        return Guess(guess.transform, bend, shape, self.own(self.articulation(bend), shape))

    def own(self, articulation: Tensor, shape: Tensor) -> Tensor:
        """(B, V, 3) metres: vertices in the hand's own frame, of articulation (B, A) and shape (B, S)."""
        still = torch.eye(4).to(articulation).expand(len(articulation), 4, 4)
        return self.hand.pose(still, articulation, shape).vertices


def _columns(like: Tensor) -> Tensor:
    """(6,) the identity's first two columns."""
    return like.new_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
