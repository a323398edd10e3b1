"""Chat messages to a prompt, and sampled text back to a message with tool calls (hermes: JSON between <tool_call> tags)."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Environment, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from model.errors import InvalidJob
from policy_server.failures import invalid
from policy_server.text import read_json

END_OF_TURN = "<|im_end|>"
DEFAULT_TEMPLATE = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- '# Tools\\n\\nYou may call one or more functions. Their signatures are within <tools></tools> XML tags:\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '\\n</tools>\\n\\nFor each call, give a JSON object with name and arguments within <tool_call></tool_call> XML tags:\\n' }}
    {{- '<tool_call>\\n{"name": <function-name>, "arguments": <arguments-object>}\\n</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' + (message.content or '') }}
        {%- for call in message.tool_calls or [] %}
            {{- '\\n' if message.content or not loop.first }}
            {{- '<tool_call>\\n{"name": ' + (call.function.name | tojson) }}
            {{- ', "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user' if loop.first or loop.previtem.role != 'tool' }}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {{- '<|im_end|>\\n' if loop.last or loop.nextitem.role != 'tool' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
"""Qwen3's format without its removal of earlier thoughts, so that every prompt extends the one before it."""

TOOL_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


class ChatTemplate:
    def __init__(self, source: str, variables: dict[str, Any] | None = None) -> None:
        self._template = _compile(source)
        self._variables = variables or {}

    def render(self, messages: list[dict[str, Any]], tools: list[Any] | None, add_generation_prompt: bool, options: dict[str, Any]) -> str:
        """The prompt. Raises ApiError 400 when the template refuses the messages."""
        values = {**self._variables, **options, "tools": tools or None, "add_generation_prompt": add_generation_prompt}
        try:
            return self._template.render(messages=messages, **values)
        except (TemplateError, TypeError, ValueError) as error:
            raise invalid(f"the chat template refuses these messages: {error}", "messages") from None


def read_chat_template(directory: Path) -> ChatTemplate:
    """The template of a model directory: chat_template.jinja, else tokenizer_config.json's, else DEFAULT_TEMPLATE."""
    config = read_json(directory / "tokenizer_config.json")
    file = directory / "chat_template.jinja"
    source = file.read_text(encoding="utf-8") if file.exists() else config.get("chat_template")
    if isinstance(source, list):
        named = {entry["name"]: entry["template"] for entry in source}
        source = named.get("tool_use") or named.get("default")
    variables = {name: value for name, value in config.items() if name.endswith("_token") and isinstance(value, str)}
    try:
        return ChatTemplate(source or DEFAULT_TEMPLATE, variables)
    except TemplateError as error:
        raise InvalidJob(f"{directory}: its chat template cannot be read: {error}") from None


def read_messages(value: Any) -> list[dict[str, Any]]:
    """OpenAI messages as templates want them: plain text contents, tool arguments as objects."""
    if not isinstance(value, list) or not value:
        raise invalid("messages must be a list with at least one message", "messages")
    return [_read_message(message) for message in value]


def parse_tool_calls(text: str, token_ids: Sequence[int]) -> tuple[str | None, list[dict[str, Any]]]:
    """Content and OpenAI tool calls of a sampled text. Text with any call that is not valid is content as a whole.

    Ids of calls are derived from `token_ids` (prompt and sampled): equal generations give equal ids.
    """
    bodies = TOOL_CALL.findall(text)
    if not bodies:
        return text, []
    digest = hashlib.sha256(json.dumps(list(token_ids)).encode()).hexdigest()[:16]
    calls = []
    for index, body in enumerate(bodies):
        try:
            call = json.loads(body)
            name, arguments = call["name"], call.get("arguments", {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return text, []
        if not isinstance(name, str):
            return text, []
        function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
        calls.append({"id": f"call_{digest}_{index}", "type": "function", "function": function})
    return text[: text.index("<tool_call>")].strip() or None, calls


def _compile(source: str) -> Template:
    environment: Environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _read_message(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("role") not in ("system", "developer", "user", "assistant", "tool"):
        raise invalid("every message needs a role of system, user, assistant or tool", "messages")
    message = {**value, "content": _read_content(value.get("content"))}
    if message["role"] == "developer":
        message["role"] = "system"
    if message["content"] is None and message["role"] != "assistant":
        raise invalid(f"a {message['role']} message needs content", "messages")
    if value.get("tool_calls"):
        message["tool_calls"] = [_read_tool_call(call) for call in value["tool_calls"]]
    return message


def _read_content(content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content):
        return "".join(part["text"] for part in content)
    raise invalid("content must be text, or a list of text parts", "messages")


def _read_tool_call(call: Any) -> dict[str, Any]:
    """The call with its arguments parsed; arguments that are no JSON stay text."""
    try:
        function = dict(call["function"])
        arguments = function["arguments"]
        function["name"]
    except (TypeError, KeyError, ValueError):
        raise invalid("every tool call needs function.name and function.arguments", "messages") from None
    if isinstance(arguments, str):
        try:
            function["arguments"] = json.loads(arguments)
        except ValueError:
            function["arguments"] = arguments
    return {**call, "function": function}
