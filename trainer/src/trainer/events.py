"""events.jsonl: what a job did, one JSON object per line, in order. Appended and flushed; cut back to the checkpoint on resume."""

import json
import os
import sys
from pathlib import Path
from typing import Any


class EventLog:
    """`restore` first, then `append`. Each event is one line, and its `seq` the number of lines before it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._seq = 0

    def restore(self, num_bytes: int | None = None) -> None:
        """Forgets everything after `num_bytes`, and always a torn last line: a killed process leaves one, a lost disk cache more."""
        whole = [line for line in self._path.read_bytes()[:num_bytes].splitlines(keepends=True) if line.endswith(b"\n")]
        os.truncate(self._path, sum(map(len, whole)))
        self._seq = len(whole)

    def sync(self) -> int:
        """Makes sure of everything appended so far; the number of bytes is what `restore` takes."""
        os.fsync(self._file.fileno())
        return self._path.stat().st_size

    def append(self, event_type: str, **fields: Any) -> None:
        line = json.dumps({"type": event_type, "seq": self._seq, **fields}, ensure_ascii=False)
        data = line.encode() + b"\n"
        while data:  # a disk that is nearly full takes a part of it, and then nothing
            data = data[self._file.write(data) :]
        self._seq += 1
        if sys.stderr.isatty():
            print(line, file=sys.stderr)

    def close(self) -> None:
        self.sync()
        self._file.close()


class NoEvents:
    """The event log of a rank that writes nothing."""

    def restore(self, num_bytes: int | None = None) -> None:
        pass

    def sync(self) -> int:
        return 0

    def append(self, event_type: str, **fields: Any) -> None:
        pass

    def close(self) -> None:
        pass


def report_error(path: Path, code: str, message: str) -> None:
    """Appends a job-error after whatever events there are, whole or not at all."""
    log = EventLog(path)
    log.restore()
    try:
        log.append("job-error", code=code, message=message)
    except OSError:
        log.restore()
        raise
    log.close()
