"""One CPython for the cells of one episode: JSON lines in on descriptor 3, out on descriptor 4. Arguments: bytes of memory, bytes of a file.

Limits of resources, a fixed clock and fixed randomness; no sandbox. Standard output and error are a file of whoever started us.
"""

import datetime
import json
import os
import resource
import sys
import time
import types

BEGIN_S = 1767225600.0  # 2026-01-01 UTC
_memory_bytes, _file_bytes = int(sys.argv[1]), int(sys.argv[2])
_asked = 0


def _now() -> float:
    """A clock that advances by a millisecond whenever it is asked."""
    global _asked
    _asked += 1
    return BEGIN_S + _asked / 1000


def _sleep(seconds: float) -> None:
    global _asked
    _asked += int(max(0, seconds) * 1000)


def _fix_clock() -> None:
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, _now)
        setattr(time, f"{name}_ns", lambda: int(_now() * 1_000_000_000))
    gmtime, strftime, ctime, asctime = time.gmtime, time.strftime, time.ctime, time.asctime
    time.sleep = _sleep
    time.gmtime = lambda seconds=None: gmtime(_now() if seconds is None else seconds)
    time.localtime = time.gmtime
    time.strftime = lambda form, at=None: strftime(form, time.gmtime() if at is None else at)
    time.ctime = lambda seconds=None: ctime(_now() if seconds is None else seconds)
    time.asctime = lambda at=None: asctime(time.gmtime() if at is None else at)


def _fix_dates() -> None:
    real_date, real_datetime = datetime.date, datetime.datetime

    class _Date(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.__mro__[1])

    class date(real_date, metaclass=_Date):
        @classmethod
        def today(cls):
            return cls.fromtimestamp(_now())

    class datetime_(real_datetime, metaclass=_Date):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(_now(), tz)

        @classmethod
        def utcnow(cls):
            return cls.fromtimestamp(_now())

        @classmethod
        def today(cls):
            return cls.fromtimestamp(_now())

    for kind, name in ((date, "date"), (datetime_, "datetime")):
        kind.__module__, kind.__qualname__, kind.__name__ = "datetime", name, name
        setattr(datetime, name, kind)


def _load_runner():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cell.py")
    module = types.ModuleType("turnwise_cell")
    module.__file__ = "turnwise_cell"
    sys.modules["turnwise_cell"] = module
    with open(path, encoding="utf-8") as source:
        exec(compile(source.read(), "turnwise_cell", "exec"), module.__dict__)
    return module.run_cell


def _limit() -> None:
    """As far as this system has them: macOS refuses to limit memory."""
    for kind, most in ((resource.RLIMIT_FSIZE, _file_bytes), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, _memory_bytes)):
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            print(f"no limit for {kind} here", file=sys.stderr)


os.environ["TZ"] = "UTC"
time.tzset()
_requests, _answers = os.fdopen(3, "r", encoding="utf-8"), os.fdopen(4, "w", encoding="utf-8")
_run_cell, _loads, _write, _done = _load_runner(), json.loads, _answers.write, _answers.flush
_fix_clock()
_fix_dates()
_limit()
_write("ready\n")
_done()
while _line := _requests.readline():
    _answer = _run_cell(_loads(_line))
    _write(f"{_answer}\n")
    _done()
