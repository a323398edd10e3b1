"""What a request is refused with: OpenAI's error JSON, one class."""

from typing import Any


class ApiError(Exception):
    """An answer other than 200. `code` is what clients match on."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"} if self.status in (429, 503) else {}

    def body(self) -> dict[str, Any]:
        otherwise = "BadRequestError" if self.status < 500 else "InternalServerError"
        kind = {404: "NotFoundError", 429: "RateLimitError"}.get(self.status, otherwise)
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def invalid(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, "invalid_request", message, param)
