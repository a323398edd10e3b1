"""Speed and memory of the trainer on one card. One JSON object per case, as each ends.

    PYTHONPATH=trainer/src python bench/gpu/main.py [--device cuda|cpu] [--tiny] [--any-kernels] [--case NAME]

Every case runs in a process of its own, so that memory is its own and a case that does not fit stops no other. Toy cases share one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import CASES, QWEN3_4B, TINY, Case, tiny

CASE_SECONDS = 900


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench/gpu/main.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy shapes: whether it works, not how fast it is")
    parser.add_argument("--any-kernels", action="store_true", help="also kernels that do not repeat themselves: what exactness costs")
    parser.add_argument("--case", choices=[case.name for case in CASES], help="this one alone, in this process")
    options = parser.parse_args(arguments)
    if problem := what_is_missing(options.device, options.tiny):
        print(f"error: {problem}", file=sys.stderr)
        return 1
    cases = [case for case in CASES if options.case in (None, case.name)]
    if options.tiny or options.case is not None:
        return run_here([tiny(case) for case in cases] if options.tiny else cases, options)
    codes = [run_apart(case, arguments) for case in cases]
    return 1 if any(codes) else 0


def what_is_missing(device: str, is_tiny: bool) -> str | None:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        return "no CUDA device is visible; `--device cpu --tiny` shows that the script works"
    return "Qwen3-4B on a CPU would take hours; add --tiny" if device == "cpu" and not is_tiny else None


def run_here(cases: list[Case], options: argparse.Namespace) -> int:
    import torch

    from measure import measure
    from trainer.job_run import configure_torch

    configure_torch(threads=1)
    if options.any_kernels:
        torch.set_deterministic_debug_mode("default")
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(case, TINY if options.tiny else QWEN3_4B, options.device, Path(folder))), flush=True)
    return 0


def run_apart(case: Case, arguments: list[str]) -> int:
    command = [sys.executable, __file__, *arguments, "--case", case.name]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=CASE_SECONDS, check=False)
        code, output, errors = ended.returncode, ended.stdout, ended.stderr
    except subprocess.TimeoutExpired:
        code, output, errors = 1, "", f"not done after {CASE_SECONDS} s"
    if code == 0:
        print(output, end="", flush=True)
    else:
        last = errors.strip().splitlines()[-1:] or [f"ended with {code}"]
        print(json.dumps({"case": case.name, "what": case.what, "error": last[0]}), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
