"""The routes that ask the model: `/v1/grasp` and `/v1/chat/completions`."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from graspwise.answer import AnswerFormat
from graspwise.errors import InputError
from graspwise.predict import Answer
from graspwise.server.asking import Visit, visit
from graspwise.server.completions import Completion, event, read_messages
from graspwise.server.problem import ClientGone, Problem
from graspwise.server.reading import Asked, box, content_type, read_grasp_request, read_json
from graspwise.server.schema import ASKING, ChatCompletion, ChatRequest, GraspAnswer, faults

router = APIRouter()
Visiting = Annotated[Visit, Depends(visit)]
GRASP_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/GraspRequest"}},
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/GraspForm"}},
        },
    }
}
CHAT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChatRequest"}}},
    }
}
# Each event, as OpenAPI 3.2 names it; its data is a chunk or `[DONE]`, so that no schema of JSON holds for all.
EVENT = {"type": "object", "properties": {"data": {"type": "string"}}, "required": ["data"]}
STREAM = {"text/event-stream": {"itemSchema": EVENT}}


@router.post("/v1/grasp", responses={200: {"model": GraspAnswer}, **ASKING}, openapi_extra=GRASP_BODY)
async def grasp(request: Request, here: Visiting) -> Response:
    """A reasoned grasp: JSON with the picture as base64, or a form with the picture as a file."""
    # No variable holds what was read while the question waits.
    job = await here.ask(await read_grasp_request(request, largest=here.desk.limits.body))
    return JSONResponse((await job.answer(deadline=here.deadline)).to_json())


@router.post(
    "/v1/chat/completions",
    responses={200: {"model": ChatCompletion, "content": STREAM}, **ASKING, **faults(404)},
    openapi_extra=CHAT_BODY,
)
async def chat_completions(request: Request, here: Visiting) -> Response:
    """OpenAI's chat completions, with one picture in the first user's turn; `graspwise` holds the grasp."""
    name = here.desk.name
    asked, stream = await read_chat(request, name=name)
    waiting = here.ask(asked)
    # No variable holds what was read while the question waits.
    del asked
    job = await waiting
    completion = Completion(name)
    if not stream:
        return JSONResponse(completion.whole(await job.answer(deadline=here.deadline)))
    events = job.events(deadline=here.deadline)
    # The status goes out with the first word, so that what fails before has its own.
    first = await anext(events)
    return StreamingResponse(
        chunks(first, events, completion, answer_format=job.question.view.responder.answer_format),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def read_chat(request: Request, *, name: str) -> tuple[Asked, bool]:
    """What a chat request asks, and whether as a stream.

    Raises:
        InputError: a turn is not valid.
        Problem: the content type is another one (415), the JSON has another shape (400), or it names another model
            than `name` (404).
    """
    if (kind := content_type(request)) != "application/json":
        raise Problem(415, f"content type {kind!r}; valid is application/json")
    chat = await read_json(request, ChatRequest)
    if chat.model is not None and chat.model != name:
        raise Problem(
            404, f"model {chat.model!r}: not served; valid is {name!r}", code="model_not_found", param="model"
        )
    image, said = read_messages(chat.messages)
    return Asked(image, said, box(chat.graspwise.workspace if chat.graspwise else None)), bool(chat.stream)


async def chunks(
    first: str | Answer, events: AsyncIterator[str | Answer], completion: Completion, *, answer_format: AnswerFormat
) -> AsyncIterator[str]:
    """The stream of a completion; what fails on the way is its last event."""
    yield completion.first()
    try:
        now = first
        while isinstance(now, str):
            if told := completion.writes(now, answer_format):
                yield told
            now = await anext(events)
        yield completion.last(now)
    except Problem as problem:
        yield event(problem.to_json())
    except InputError as error:
        yield event(Problem(400, str(error)).to_json())
    except ClientGone:
        return
