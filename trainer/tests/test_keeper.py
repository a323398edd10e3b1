import os
import signal
import subprocess
import sys

import pytest

from helpers import trainer_environment
from serve.serve_helpers import is_running, until

COMMAND = "sleep 100 & echo $!; echo $$; wait"


def start(*command: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "trainer.keeper", *command]
    return subprocess.Popen(
        argv,
        env=trainer_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def line(keeper: subprocess.Popen[str]) -> str:
    assert keeper.stdout is not None
    return keeper.stdout.readline()


@pytest.mark.parametrize("shell", [COMMAND, f"trap '' TERM; {COMMAND}; sleep 100"])
def test_a_kept_command_and_what_it_started_end_when_the_input_closes(shell: str, monkeypatch: pytest.MonkeyPatch):
    keeper = start("/bin/sh", "-c", shell)
    pids = [int(line(keeper)), int(line(keeper))]
    assert all(map(is_running, pids))
    assert keeper.stdin is not None
    keeper.stdin.close()
    keeper.wait(timeout=30)
    until(lambda: not any(map(is_running, pids)))


def test_a_kept_command_ends_with_the_process_that_started_it():
    script = f"import subprocess, sys; subprocess.Popen([sys.executable, '-m', 'trainer.keeper', '/bin/sh', '-c', {COMMAND!r}],"
    script += " stdin=subprocess.PIPE, start_new_session=True).wait()"
    parent = subprocess.Popen([sys.executable, "-c", script], env=trainer_environment(), stdout=subprocess.PIPE, text=True)
    pids = [int(line(parent)), int(line(parent))]
    parent.kill()
    parent.wait()
    until(lambda: not any(map(is_running, pids)))


def test_a_keeper_tells_how_its_command_ended():
    assert start("/bin/sh", "-c", "exit 7").wait(timeout=30) == 7
    killed = start("/bin/sh", "-c", "echo $$; exec sleep 100")
    os.kill(int(line(killed)), signal.SIGKILL)
    assert killed.wait(timeout=30) == 128 + signal.SIGKILL
    absent = start("/absent/program")
    assert (absent.wait(timeout=30), "/absent/program" in absent.communicate()[1]) == (127, True)
