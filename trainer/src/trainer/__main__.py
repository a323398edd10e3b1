"""Command line of the trainer. Heavy imports come after argument parsing, so that help and mistakes are answered at once."""

import argparse
import sys
from pathlib import Path

from model.errors import EXIT_DONE, JobError, failure_of
from trainer import __version__
from trainer.supervision import SAVE_SECONDS

EPILOG = """exit codes: 0 done; 2 invalid job or full disk, do not retry as it is; 3 diverged, do not retry; 4 the parent process is gone;
143 stopped by SIGTERM with progress saved; any other: start again, the job goes on from its last good checkpoint.
A job with backend fsdp starts its numProcesses ranks itself; under torchrun each process is one of them.
A job directory holds job.json; the trainer writes events.jsonl, checkpoints/, model/ and, last, result.json into it."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description="Trains policies. One process per job: job.json in, events.jsonl while it runs, result.json last.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"trainer {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="reinforcement learning on one batch file with per-token advantages")
    train.add_argument("job_directory", type=Path, metavar="JOB-DIRECTORY")
    sft = commands.add_parser("sft", help="supervised training on conversations, from scratch or from a model")
    sft.add_argument("job_directory", type=Path, metavar="JOB-DIRECTORY")
    for job in (train, sft):
        job.add_argument("--save-seconds", type=float, default=SAVE_SECONDS, help="what ranks get to save after SIGTERM (%(default)s)")
    tokenizer = commands.add_parser("tokenizer", help="train a byte-level BPE tokenizer on conversations")
    tokenizer.add_argument("job_file", type=Path, metavar="JOB.json")
    init = commands.add_parser("init", help="write a model with random weights and a tokenizer of single bytes")
    init.add_argument("job_file", type=Path, metavar="JOB.json")
    merge = commands.add_parser("merge", help="add an adapter into the weights of its base: one model directory")
    for name in ("base", "adapter", "output"):
        merge.add_argument(name, type=Path, metavar=f"{name.upper()}-DIRECTORY")
    commands.add_parser("export", help="write a batch file as the training data of prime-rl or verl (export --help)", add_help=False)
    return parser


def main(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["export"]:
            from trainer.engines.__main__ import main as export

            return export(arguments[1:])
        return run(build_parser().parse_args(arguments))
    except JobError as error:
        print(f"error: {error.code}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        failure = failure_of(error)
        print(f"error: {failure.code}: {failure}", file=sys.stderr)
        return failure.exit_code


def run(options: argparse.Namespace) -> int:
    if options.command == "tokenizer":
        from trainer.tokenizer import train_tokenizer

        print(train_tokenizer(options.job_file))
        return EXIT_DONE
    if options.command == "init":
        from trainer.initial_model import write_initial_model

        print(write_initial_model(options.job_file))
        return EXIT_DONE
    if options.command == "merge":
        from trainer.merge import merge

        print(merge(options.base, options.adapter, options.output))
        return EXIT_DONE
    from trainer.job import run_job

    return run_job(options.command, options.job_directory, options.save_seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
