"""What a client is told when there is no answer: a status and one line, in OpenAI's shape."""

import json
from collections.abc import Mapping

from fastapi import Response

TYPES = {429: "rate_limit_error", 504: "timeout_error"}


class Problem(Exception):
    """A request that is not answered.

    Args:
        status: HTTP status.
        message: One line for people: what was found and what is valid.
        code: A word for programs.
        param: The field it is about.
        headers: To send along.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.status, self.code, self.param, self.headers = status, code, param, dict(headers or {})

    def to_json(self) -> dict[str, dict[str, str | None]]:
        """OpenAI's error object."""
        kind = TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        # In ASCII, because a message may repeat what no UTF-8 can hold.
        return Response(json.dumps(self.to_json()), self.status, self.headers, "application/json")


class ClientGone(Exception):
    """Nobody waits for the answer any more."""
