"""The HTTP application, on Starlette: tens of requests arrive per engine step, and body models would cost more than the model does."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.routing import Route

from policy_server import protocol
from policy_server.chat import END_OF_TURN, parse_tool_calls, read_messages
from policy_server.engine import Engine, Generation, Request
from policy_server.failures import ApiError, invalid
from policy_server.http import Body, json_endpoint, plain_http_error, read_endpoint
from policy_server.registry import Policy, Registry

DISCONNECT_CHECK_SECONDS = 1.0
DEFAULT_COMPLETION_TOKENS = 16


def create_app(service: "Service") -> Starlette:
    """The application with its engine, which runs from the first request's arrival to the last one's answer (ASGI lifespan)."""

    @asynccontextmanager
    async def lifespan(_: Starlette):
        service.start()
        watch = asyncio.create_task(service.watch_clients())
        yield
        watch.cancel()
        await asyncio.to_thread(service.engine.stop)

    writing = {
        "/v1/completions": service.complete,
        "/v1/chat/completions": service.chat,
        "/v1/score": service.score,
        "/v1/load_policy": service.load,
        "/v1/unload_policy": service.unload,
        "/v1/load_lora_adapter": service.load_adapter,
        "/v1/unload_lora_adapter": service.unload_adapter,
        "/tokenize": service.tokenize,
        "/detokenize": service.detokenize,
    }
    reading = {"/v1/models": service.models, "/weight_info": service.weight_info, "/health": service.health}
    routes = [Route(path, json_endpoint(handler), methods=["POST"]) for path, handler in writing.items()]
    routes += [Route(path, read_endpoint(read), methods=["GET"]) for path, read in reading.items()]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: plain_http_error})


class Service:
    """What the routes do. Runs on the event loop; the engine computes in its own thread."""

    def __init__(self, registry: Registry, max_queue: int) -> None:
        self.registry, self._max_queue = registry, max_queue
        self.engine = Engine(self._notify)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[HttpRequest, list[Generation]] = {}
        self.is_draining = False
        """From the first SIGTERM on: what was asked is answered, new requests are refused with 503."""

    @property
    def is_idle(self) -> bool:
        return not self._open

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.engine.start()

    async def watch_clients(self) -> None:
        """Cancels what nobody waits for any more."""
        while True:
            await asyncio.sleep(DISCONNECT_CHECK_SECONDS)
            for http, generations in list(self._open.items()):
                if await http.is_disconnected():
                    for generation in generations:
                        generation.is_cancelled = True
                        generation.future.cancel()

    async def complete(self, http: HttpRequest, body: Body) -> Body:
        policy = self.registry.find(body.get("model"))
        prompt = body.get("prompt")
        token_ids = _codec(policy).encode(prompt, _adds_special_tokens(body)) if isinstance(prompt, str) else prompt
        ids = protocol.read_token_ids(token_ids, policy, "prompt")
        options = protocol.read_options(body, policy, len(ids), DEFAULT_COMPLETION_TOKENS)
        num_top = protocol.read_num_logprobs(body)
        of_prompt = await self._score_prompt(http, policy, ids) if body.get("prompt_logprobs") is not None else None
        generations = await self._generate(http, policy, ids, options, num_top or 0)
        choices = []
        for index, generation in enumerate(generations):
            text, stop_reason = protocol.cut_text(policy, generation, options)
            choice = {
                "index": index,
                "text": text,
                "prompt_logprobs": of_prompt,
                "logprobs": None if num_top is None else protocol.completion_logprobs(policy, generation, num_top),
                "finish_reason": generation.finish_reason,
                "stop_reason": stop_reason,
            }
            if options.return_token_ids:
                choice |= {"prompt_token_ids": ids.tolist(), "token_ids": generation.token_ids}
            choices.append(choice)
        return protocol.envelope("text_completion", "cmpl", policy, choices, generations)

    async def chat(self, http: HttpRequest, body: Body) -> Body:
        policy = self.registry.find(body.get("model"))
        if body.get("prompt_logprobs") is not None:
            raise invalid("prompt_logprobs is served by /v1/completions only", "prompt_logprobs")
        ids = protocol.read_token_ids(_chat_prompt(policy, body), policy, "messages")
        options = protocol.read_options(_with_end_of_turn(policy, body), policy, len(ids), None)
        num_top = protocol.read_num_chat_logprobs(body)
        generations = await self._generate(http, policy, ids, options, num_top or 0)
        choices = []
        for index, generation in enumerate(generations):
            text, stop_reason = protocol.cut_text(policy, generation, options)
            message: Body = {"role": "assistant", "content": text, "tool_calls": []}
            if body.get("tools") and body.get("tool_choice") != "none":
                message["content"], message["tool_calls"] = parse_tool_calls(text, [*ids.tolist(), *generation.token_ids])
            called = bool(message["tool_calls"]) and generation.finish_reason == "stop"
            choice = {
                "index": index,
                "message": message,
                "logprobs": None if num_top is None else protocol.chat_logprobs(policy, generation),
                "finish_reason": "tool_calls" if called else generation.finish_reason,
                "stop_reason": stop_reason,
            }
            if options.return_token_ids:
                choice["token_ids"] = generation.token_ids
            choices.append(choice)
        answer = protocol.envelope("chat.completion", "chatcmpl", policy, choices, generations)
        return answer | {"prompt_token_ids": ids.tolist()} if options.return_token_ids else answer

    async def score(self, http: HttpRequest, body: Body) -> Body:
        policy = self.registry.find(body.get("model"))
        ids = protocol.read_token_ids(body.get("token_ids"), policy, "token_ids")
        positions = protocol.read_scored_positions(body, len(ids))
        if len(ids) > policy.max_context:
            raise protocol.context_overflow(policy, len(ids), 0)
        temperature = protocol.read_temperature(body)
        (generation,) = await self._run(http, policy, [Request(ids, temperature, scored=positions)])
        return {
            "model": policy.name,
            "weights_sha256": policy.sha256,
            "temperature": temperature,
            "positions": list(positions),
            "logprobs": generation.logprobs,
        }

    async def load(self, _: HttpRequest, body: Body) -> Body:
        self._refuse_when_draining()
        name, path, sha256 = (_text(body, field) for field in ("name", "path", "sha256"))
        policy, is_new = await asyncio.to_thread(self.registry.load, name, path, sha256, _file_hashes(body))
        return {"name": policy.name, "sha256": policy.sha256, "status": "loaded" if is_new else "already-loaded", "exact": policy.is_exact}

    async def unload(self, _: HttpRequest, body: Body) -> Body:
        name = _text(body, "name")
        self.registry.unload(name)
        return {"name": name, "status": "unloaded"}

    async def load_adapter(self, _: HttpRequest, body: Body) -> str:
        """vLLM's request and answers. Ours beyond it: base_model_name, sha256 and files, as for /v1/load_policy."""
        self._refuse_when_draining()
        name, path = _text(body, "lora_name"), _text(body, "lora_path")
        if body.get("load_inplace"):
            raise invalid("load_inplace is not supported: a name stands for one set of weights", "load_inplace")
        base, sha256 = (None if body.get(field) is None else _text(body, field) for field in ("base_model_name", "sha256"))
        arguments = (name, path, base, sha256, _file_hashes(body))
        is_new = (await asyncio.to_thread(self.registry.load_adapter, *arguments))[1]
        if not is_new:
            raise ApiError(400, "already_loaded", f"The lora adapter '{name}' has already been loaded.", "lora_name")
        return f"Success: LoRA adapter '{name}' added successfully."

    async def unload_adapter(self, _: HttpRequest, body: Body) -> str:
        name = _text(body, "lora_name")
        if not any(policy.name == name and policy.parent is not None for policy in self.registry):
            raise ApiError(404, "adapter_not_found", f"The lora adapter '{name}' cannot be found.", "lora_name")
        self.registry.unload(name)
        return f"Success: LoRA adapter '{name}' removed successfully."

    async def tokenize(self, _: HttpRequest, body: Body) -> Body:
        policy = self.registry.find(body.get("model"))
        if "messages" in body:
            tokens = _chat_prompt(policy, body)
        else:
            tokens = _codec(policy).encode(_text(body, "prompt"), _adds_special_tokens(body))
        texts = [protocol.token_text(policy, token) for token in tokens] if body.get("return_token_strs") else None
        return {"count": len(tokens), "max_model_len": policy.max_context, "tokens": tokens, "token_strs": texts}

    async def detokenize(self, _: HttpRequest, body: Body) -> Body:
        policy = self.registry.find(body.get("model"))
        ids = protocol.read_token_ids(body.get("tokens"), policy, "tokens")
        return {"prompt": _codec(policy).decode(ids.tolist(), skip_special_tokens=False)}

    def models(self) -> Body:
        common = {"object": "model", "created": 0, "owned_by": "turnwise"}
        entries = [
            {"id": p.name, **common, "root": str(p.directory), "parent": p.parent, "max_model_len": p.max_context} for p in self.registry
        ]
        return {"object": "list", "data": entries}

    def weight_info(self) -> Body:
        return {policy.name: policy.sha256 for policy in self.registry}

    def health(self) -> Body:
        if not self.engine.is_alive:
            raise ApiError(503, "engine_dead", "the engine's thread has ended; restart the server")
        self._refuse_when_draining()
        policies = {
            p.name: {"exact": p.is_exact, "running": len(p.lane.running), "waiting": len(p.lane.waiting), **asdict(p.lane.counters)}
            for p in self.registry
        }
        return {"status": "ok", "precision": self.registry.precision, "policies": policies}

    async def _generate(
        self, http: HttpRequest, policy: Policy, ids: Any, options: protocol.SamplingOptions, num_top: int
    ) -> list[Generation]:
        requests = [
            Request(
                token_ids=ids,
                temperature=options.temperature,
                max_tokens=options.max_tokens,
                seed=options.seed,
                choice=choice,
                stop_token_ids=options.stop_token_ids,
                ends_text=_stop_string_finder(policy, options),
                num_top_logprobs=num_top,
            )
            for choice in range(options.num_choices)
        ]
        return await self._run(http, policy, requests)

    async def _score_prompt(self, http: HttpRequest, policy: Policy, ids: Any) -> list[Any]:
        if len(ids) == 1:
            return [None]
        (scored,) = await self._run(http, policy, [Request(ids, 1.0, scored=tuple(range(1, len(ids))))])
        return protocol.prompt_logprobs(policy, scored)

    async def _run(self, http: HttpRequest, policy: Policy, requests: list[Request]) -> list[Generation]:
        """Submits requests and waits. Raises ApiError 429 when the queue is full, 503 when draining, 500 when the engine failed."""
        self._refuse_when_draining()
        lane = policy.lane
        if len(lane.waiting) + len(requests) > self._max_queue:
            raise ApiError(429, "queue_full", f"{len(lane.waiting)} requests are waiting already")
        generations = [Generation(request, asyncio.get_running_loop().create_future()) for request in requests]
        self._open[http] = generations
        try:
            for generation in generations:
                self.engine.submit(lane, generation)
            for generation in generations:
                await generation.future
        finally:
            del self._open[http]
        failed = next((generation.error for generation in generations if generation.error), None)
        if failed is not None:
            raise ApiError(500, "engine_failed", f"{type(failed).__name__}: {failed}")
        return generations

    def _refuse_when_draining(self) -> None:
        if self.is_draining:
            raise ApiError(503, "draining", "the server is ending: it answers what was asked before, and nothing new")

    def _notify(self, ended: list[Generation]) -> None:
        """Called in the engine's thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_resolve, ended)


def _resolve(ended: list[Generation]) -> None:
    for generation in ended:
        if not generation.future.done():
            generation.future.set_result(None)


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f"{name} must be text", name)
    return value


def _file_hashes(body: Body) -> dict[str, str]:
    files = body.get("files") or {}
    if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
        raise invalid("files must map file names to sha256", "files")
    return files


def _codec(policy: Policy):
    if policy.codec is None:
        raise invalid(f"policy {policy.name} has no tokenizer.json: give token ids", "prompt")
    return policy.codec


def _adds_special_tokens(body: Body) -> bool:
    return body.get("add_special_tokens") is not False


def _chat_prompt(policy: Policy, body: Body) -> list[int]:
    tools = body.get("tools")
    if tools is not None and not isinstance(tools, list):
        raise invalid("tools must be a list", "tools")
    generate = body.get("add_generation_prompt") is not False
    options = body.get("chat_template_kwargs") or {}
    text = policy.template.render(read_messages(body.get("messages")), tools, generate, options)
    return _codec(policy).encode(text, add_special_tokens=body.get("add_special_tokens") is True)


def _with_end_of_turn(policy: Policy, body: Body) -> Body:
    """The chat format's end of a turn stops: as a token where the vocabulary has it, else as text."""
    token = _codec(policy).token_id(END_OF_TURN)
    if token is not None:
        return {**body, "stop_token_ids": [*(body.get("stop_token_ids") or []), token]}
    stop = body.get("stop") or []
    return {**body, "stop": [*([stop] if isinstance(stop, str) else stop), END_OF_TURN]}


def _stop_string_finder(policy: Policy, options: protocol.SamplingOptions) -> Callable[[list[int]], bool] | None:
    if not options.stop_strings:
        return None
    codec = _codec(policy)

    def ends_text(token_ids: list[int]) -> bool:
        text = codec.decode(token_ids, options.skip_special_tokens)
        return any(stop in text for stop in options.stop_strings)

    return ends_text
