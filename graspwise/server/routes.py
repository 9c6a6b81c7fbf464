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
from graspwise.server.reading import Asked, box, read_grasp_request
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
STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


@router.post("/v1/grasp", responses={200: {"model": GraspAnswer}, **ASKING}, openapi_extra=GRASP_BODY)
async def grasp(request: Request, here: Visiting) -> Response:
    """A reasoned grasp: JSON with the picture as base64, or a form with the picture as a file."""
    asked = await read_grasp_request(request, largest=here.desk.limits.body)
    job = await here.ask(asked)
    return JSONResponse((await job.answer(deadline=here.deadline)).to_json())


@router.post(
    "/v1/chat/completions", responses={200: {"model": ChatCompletion, "content": STREAM}, **ASKING, **faults(404)}
)
async def chat_completions(chat: ChatRequest, here: Visiting) -> Response:
    """OpenAI's chat completions, with one picture in the first user's turn; `graspwise` holds the grasp."""
    name = here.desk.model.name
    if chat.model is not None and chat.model != name:
        raise Problem(
            404, f"model {chat.model!r}: not served; valid is {name!r}", code="model_not_found", param="model"
        )
    image, said = read_messages(chat.messages)
    job = await here.ask(Asked(image, said, box(chat.graspwise.workspace if chat.graspwise else None)))
    completion = Completion(name)
    if not chat.stream:
        return JSONResponse(completion.whole(await job.answer(deadline=here.deadline)))
    events = job.events(deadline=here.deadline)
    # The status goes out with the first word, so that what fails before has its own.
    first = await anext(events)
    return StreamingResponse(
        chunks(first, events, completion, answer_format=job.question.view.responder.answer_format),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


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
