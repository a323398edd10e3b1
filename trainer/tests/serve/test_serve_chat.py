import json

from policy_server.chat import DEFAULT_TEMPLATE, ChatTemplate, parse_tool_calls, read_messages
from policy_server.text import TextCodec
from serve.serve_helpers import byte_tokenizer

TOOLS = [{"type": "function", "function": {"name": "cancel", "description": "d", "parameters": {"type": "object"}}}]
CALL = {"id": "x", "type": "function", "function": {"name": "cancel", "arguments": '{"id": "@r1"}'}}


def render(messages, tools=None, generate=True) -> str:
    return ChatTemplate(DEFAULT_TEMPLATE).render(read_messages(messages), tools, generate, {})


def test_the_default_template_writes_hermes_tool_calls():
    text = render(
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]},
            {"role": "tool", "content": "one"},
            {"role": "tool", "content": "two"},
        ],
        TOOLS,
    )
    call = '<tool_call>\n{"name": "cancel", "arguments": {"id": "@r1"}}\n</tool_call>'
    assert text.startswith("<|im_start|>system\nBe kind.\n\n# Tools")
    assert json.dumps(TOOLS[0]) in text
    assert f"<|im_start|>assistant\n{call}\n{call}<|im_end|>\n" in text
    responses = "<tool_response>\none\n</tool_response>\n<tool_response>\ntwo\n</tool_response>"
    assert text.endswith(f"<|im_start|>user\n{responses}<|im_end|>\n<|im_start|>assistant\n")


def test_a_later_prompt_extends_the_earlier_one_and_its_answer():
    first = [{"role": "user", "content": "hi"}]
    answer = {"role": "assistant", "content": "hello", "tool_calls": [CALL]}
    written = "hello\n" + '<tool_call>\n{"name": "cancel", "arguments": {"id": "@r1"}}\n</tool_call>' + "<|im_end|>"
    for tools in (None, TOOLS):
        assert render([*first, answer, {"role": "tool", "content": "ok"}], tools).startswith(render(first, tools) + written)


def test_tool_calls_are_parsed_back():
    text = 'Let me see.\n<tool_call>\n{"name": "a", "arguments": {"x": "é"}}\n</tool_call>\n<tool_call>{"name": "b"}</tool_call>'
    content, calls = parse_tool_calls(text, [1, 2])
    assert content == "Let me see."
    assert [(call["function"]["name"], call["function"]["arguments"]) for call in calls] == [("a", '{"x": "é"}'), ("b", "{}")]
    assert len({call["id"] for call in calls}) == 2
    assert parse_tool_calls(text, [1, 2]) == (content, calls)
    assert parse_tool_calls(text, [1, 3])[1][0]["id"] != calls[0]["id"]


def test_text_with_a_malformed_call_is_content():
    for body in ("{", "[]", '{"arguments": {}}', '{"name": 3}', "null"):
        text = f"<tool_call>{body}</tool_call>"
        assert parse_tool_calls(text, []) == (text, [])
    assert parse_tool_calls("no call", []) == ("no call", [])


def test_text_survives_the_tokenizer():
    codec = TextCodec(byte_tokenizer())
    text = "naïve ✓ <tool_call>\n{}"
    ids = codec.encode(text, add_special_tokens=False)
    assert codec.decode(ids) == text
    assert codec.token_text(codec.encode("<|im_end|>", False)[0]) == "<|im_end|>"
