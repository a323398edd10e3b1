"""Takes away by name what this Python does not have, so that whoever asks for it is told. What holds is the filter of imports (imports.ts)."""

import os
import sys

ABSENT = {"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "ctypes", "_ctypes"}
PROCESSES = """system popen fork forkpty kill killpg posix_spawn posix_spawnp execv execve execl execle execlp execlpe execvp execvpe
spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe""".split()


def _refused(name: str):
    def call(*args, **options):
        raise PermissionError(f"os.{name}: this Python is a sandbox, it has no host and no processes")

    call.__name__ = name
    return call


# Pyodide has put its own loop, which is JavaScript's, into asyncio: the library's is imported anew.
for _name in [name for name in sys.modules if name.partition(".")[0] in ABSENT | {"asyncio"}]:
    del sys.modules[_name]
for _name in ABSENT:
    sys.modules[_name] = None
sys.meta_path[:] = [finder for finder in sys.meta_path if "_pyodide" not in str(getattr(finder, "__module__", "")) + type(finder).__module__]
for _name in PROCESSES:
    for _module in (os, sys.modules["posix"]):
        setattr(_module, _name, _refused(_name))
sys.path[:] = [path for path in sys.path if path]
