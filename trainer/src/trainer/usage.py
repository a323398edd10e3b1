"""usage.json: for how long a job has computed, over all its attempts. Beside result.json, whose bytes say nothing of time."""

import json
import time
from pathlib import Path

from model.files import write_atomic

FILE = "usage.json"


class Usage:
    """Seconds of this attempt on top of those of the attempts before. One that is killed loses what it did since it last wrote."""

    def __init__(self, directory: Path, num_devices: int) -> None:
        self._path, self._num_devices = directory / FILE, num_devices
        self._earlier, self._started = earlier_seconds(self._path), time.monotonic()

    def write(self) -> None:
        seconds = self._earlier + time.monotonic() - self._started
        usage = {"schemaVersion": 1, "computeSeconds": round(seconds, 3), "numDevices": self._num_devices}
        write_atomic(self._path, (json.dumps(usage) + "\n").encode())


def earlier_seconds(path: Path) -> float:
    """Of a file that is missing or torn: none."""
    try:
        return float(json.loads(path.read_bytes())["computeSeconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
