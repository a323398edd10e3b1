"""Runs the cells of one episode in one namespace. Both runtimes load this file, under the name `turnwise_cell`."""

import ast
import builtins
import json
import linecache
import random
import sys
import traceback
import types

LONGEST_TEXT = 4000
LONGEST_RESULT = 10_000

random.seed(0)
_main = types.ModuleType("__main__")
_main.__builtins__ = builtins
sys.modules["__main__"] = _main
_streams = (sys.stdout, sys.stderr)
_own = __file__
_number = 0


def run_cell(code: str) -> str:
    """Runs a cell; answers JSON {"result": str | None, "error": {"kind": "exception" | "memory", "text": str} | None}."""
    global _number
    _number += 1
    name = f"<cell {_number}>"
    result, error = None, None
    try:
        value = _execute(code, name)
        result = None if value is None else _cut(repr(value), LONGEST_RESULT)
    except MemoryError as raised:
        error = {"kind": "memory", "text": _describe(raised)}
    except BaseException as raised:
        error = {"kind": "exception", "text": _describe(raised)}
    _flush()
    return json.dumps({"result": result, "error": error})


def _execute(code: str, name: str) -> object:
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), _main.__dict__)
    return None if last is None else eval(compile(last, name, "eval"), _main.__dict__)


def _describe(raised: BaseException) -> str:
    """The traceback without our own frames."""
    try:
        frames = raised.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == _own:
            frames = frames.tb_next
        return _cut("".join(traceback.format_exception(type(raised), raised, frames)).rstrip(), LONGEST_TEXT)
    except BaseException:
        return f"{type(raised).__name__} (it cannot be shown)"


def _cut(text: str, longest: int) -> str:
    """The text, or its start and its end around the number of characters left out."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def _flush() -> None:
    """What is refused stays in the stream: it is written once more, and dropped then, so that the next cell does not begin with it."""
    for stream in _streams * 2:
        try:
            stream.flush()
        except BaseException:
            pass  # more output than is kept: whoever reads it counts it
