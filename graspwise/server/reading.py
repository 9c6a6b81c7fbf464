"""A request of `/v1/grasp`, as JSON or as a form, read into picture, turns and workspace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from graspwise.errors import InputError
from graspwise.predict import Workspace
from graspwise.server.problem import Problem
from graspwise.server.questions import Said
from graspwise.server.schema import EarlierTurn, GraspRequest

TURNS = TypeAdapter(list[EarlierTurn])
FORM_FIELDS = 8
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class Asked:
    """What a client sent, not yet opened.

    Attributes:
        image: A picture file's bytes, or base64, or a data URL.
        said: The turns.
        workspace: Half-open box in pixels; None for the whole picture.
    """

    image: str | bytes
    said: Sequence[Said]
    workspace: Workspace | None


async def read_grasp_request(request: Request, *, largest: int) -> Asked:
    """What a request asks.

    Args:
        request: JSON or a form.
        largest: Bytes of a form's field.

    Raises:
        InputError: a field is not valid.
        Problem: the content type is another one (415), or the JSON has another shape (400).
    """
    kind = content_type(request)
    if kind == "application/json":
        asked = await read_json(request, GraspRequest)
        return Asked(asked.image, turns(asked.messages, asked.instruction), box(asked.workspace))
    if kind != "multipart/form-data":
        raise Problem(415, f"content type {kind!r}; valid are application/json and multipart/form-data")
    async with request.form(max_files=1, max_fields=FORM_FIELDS, max_part_size=largest) as form:
        return await read_form(form)


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, shape: type[Shape]) -> Shape:
    """A JSON body; the request keeps no copy of it, as `request.body()` would.

    Raises:
        Problem: it has another shape (400).
    """
    try:
        return shape.model_validate_json(b"".join([chunk async for chunk in request.stream()]))
    except ValidationError as error:
        raise invalid(error.errors(include_input=False, include_context=False)) from error


async def read_form(form: FormData) -> Asked:
    """What a form asks; raises as `read_grasp_request`."""
    upload = form.get("image")
    if not isinstance(upload, UploadFile):
        raise Problem(400, "image: not a file of the form; valid is a picture file", param="image")
    try:
        earlier = TURNS.validate_json(text_field(form, "messages") or "[]")
    except ValidationError as error:
        raise Problem(400, "messages: not the JSON text of a list of turns", param="messages") from error
    workspace = None
    if words := text_field(form, "workspace"):
        try:
            workspace = box([int(word) for word in words.split(",")])
        except ValueError as error:
            raise Problem(400, "workspace: valid is x0,y0,x1,y1, four integers", param="workspace") from error
    return Asked(await upload.read(), turns(earlier, text_field(form, "instruction")), workspace)


def text_field(form: FormData, name: str) -> str:
    """A text field of a form; empty where there is none.

    Raises:
        InputError: it is a file.
    """
    value = form.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{name}: a file; valid is text")
    return value


def turns(earlier: Sequence[EarlierTurn], instruction: str) -> list[Said]:
    return [*(Said(turn.role, turn.content, turn.model_text) for turn in earlier), Said("user", instruction)]


def box(workspace: Sequence[int] | None) -> Workspace | None:
    """Four integers as a workspace.

    Raises:
        ValueError: there are not four.
    """
    if workspace is None:
        return None
    x0, y0, x1, y1 = workspace
    return x0, y0, x1, y1


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The first fault that a schema found, in one line."""
    place = [str(step) for step in errors[0]["loc"] if step != "body"]
    path = ".".join(place)
    return Problem(400, f"{path or 'body'}: {errors[0]['msg']}", param=path or None)
