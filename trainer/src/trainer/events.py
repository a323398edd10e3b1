"""events.jsonl: what a job did, one JSON object per line, in order. Appended and flushed; cut back to the checkpoint on resume."""

import json
import os
import sys
from pathlib import Path
from typing import Any


class EventLog:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        self._seq = 0

    def restore(self, num_bytes: int, seq: int) -> None:
        """Forgets everything after `num_bytes`, which held `seq` events."""
        self._file.flush()
        os.truncate(self._path, num_bytes)
        self._seq = seq

    def position(self) -> dict[str, int]:
        """Where the log ends now; `restore(**position)` comes back to it."""
        return {"num_bytes": self._path.stat().st_size, "seq": self._seq}

    def append(self, event_type: str, **fields: Any) -> None:
        line = json.dumps({"type": event_type, "seq": self._seq, **fields}, ensure_ascii=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self._seq += 1
        if sys.stderr.isatty():
            print(line, file=sys.stderr)

    def close(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()


def report_error(path: Path, code: str, message: str) -> None:
    """Appends a job-error after whatever events there are; a torn last line of a killed attempt is dropped first."""
    whole = _whole_lines(path)
    log = EventLog(path)
    log.restore(num_bytes=sum(map(len, whole)), seq=len(whole))
    log.append("job-error", code=code, message=message)
    log.close()


def _whole_lines(path: Path) -> list[bytes]:
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
