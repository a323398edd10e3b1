"""Handlers of decoded JSON as Starlette endpoints. Every answer that is not 200 has OpenAI's error JSON."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response

from policy_server.failures import ApiError, invalid

log = logging.getLogger("policy_server")

Body = dict[str, Any]


def json_endpoint(handler: Callable[[HttpRequest, Body], Awaitable[Body | str]]) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(http: HttpRequest) -> Response:
        try:
            return _ok(await handler(http, _object(await http.body())))
        except ApiError as error:
            return _refusal(error)
        except asyncio.CancelledError:
            return Response(status_code=499)
        except Exception as error:
            log.exception("a request failed")
            return _refusal(ApiError(500, "internal_error", f"{type(error).__name__}: {error}"))

    return endpoint


def read_endpoint(read: Callable[[], Body]) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(_: HttpRequest) -> Response:
        try:
            return _ok(read())
        except ApiError as error:
            return _refusal(error)

    return endpoint


async def plain_http_error(http: HttpRequest, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refusal(ApiError(status, "not_found" if status == 404 else "invalid_request", f"{http.method} {http.url.path} is not served"))


def _ok(body: Body | str) -> Response:
    if isinstance(body, str):
        return PlainTextResponse(body)
    return Response(orjson.dumps(body), media_type="application/json")


def _refusal(error: ApiError) -> Response:
    return Response(orjson.dumps(error.body()), error.status, error.headers, "application/json")


def _object(data: bytes) -> Body:
    try:
        body = orjson.loads(data)
    except ValueError as error:
        raise invalid(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    return body
