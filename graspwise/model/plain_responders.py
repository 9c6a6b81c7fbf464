"""What answers without reading the words: a baseline, the dense head alone, the peer."""

from collections.abc import Sequence
from pathlib import Path

from graspwise.answer import AnswerFormat, Mode
from graspwise.conversation import Message
from graspwise.errors import InputError
from graspwise.model.responder import Response
from graspwise.picture import Picture


class BaselineResponder:
    """A baseline by name; it reads no instruction and gives no reason."""

    answer_format: AnswerFormat = "bare"
    mode: Mode = "plain"
    takes_depth = False

    def __init__(self, name: str, *, image_size: int = 352) -> None:
        from graspwise.model.baselines import baseline

        self.name, self.image_size = name, image_size
        self._grasp = baseline(name)

    def respond(self, pictures: Sequence[Picture], conversations: Sequence[Sequence[Message]]) -> list[Response]:
        return [Response(text="", reasoning="", grasp=self._grasp(picture.rgb)) for picture in pictures]


class HeadResponder:
    """The dense head's best grasps alone, without the language model."""

    answer_format: AnswerFormat = "bare"
    mode: Mode = "grounded"
    takes_depth = False

    def __init__(self, name: str, *, count: int = 3) -> None:
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
    mode: Mode = "plain"

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
