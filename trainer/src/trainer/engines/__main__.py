"""`python -m trainer export`: arguments in, a new folder out. Heavy imports come after the arguments are understood."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import EXIT_DONE, InvalidJob

if TYPE_CHECKING:
    from trainer.engines.rows import ExportBatch

EPILOG = """The folder must be new or empty. It gets the engine's files and, last, export.json: the batch's hash and header, the options,
and every file by hash. Same batch and options, same bytes. docs/engines.md says what each engine reads and what is not carried over."""
PRIME_RL_ONLY = ("ranks", "minibatches", "seed", "first_step", "pad_to_multiple", "environment")
VERL_ONLY = ("pad_token_id",)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer export", description="Writes a batch file as the training data of another engine.", epilog=EPILOG
    )
    parser.add_argument("batch", type=Path, metavar="BATCH.safetensors")
    parser.add_argument("--engine", required=True, choices=["prime-rl", "verl"])
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="for prime-rl: the output_dir of its trainer")
    parser.add_argument("--sha256", metavar="HEX", help="what the batch must have (default: its file name, where that is a hash)")
    parser.add_argument("--max-length", type=_positive, metavar="N", help="most tokens of a row, and of a packed micro-batch of prime-rl")
    parser.add_argument("--temperature", type=_temperature, help="that rollouts were sampled at (default 1)")
    prime_rl = parser.add_argument_group("prime-rl")
    prime_rl.add_argument("--ranks", type=_positive, metavar="N", help="data-parallel ranks (default 1)")
    prime_rl.add_argument("--minibatches", type=_positive, metavar="N", help="optimizer steps that the batch is cut into (default 1)")
    prime_rl.add_argument(
        "--seed", type=_natural, metavar="N", help="deals rows to minibatches as our trainer does for this seed (default 0)"
    )
    prime_rl.add_argument("--first-step", type=_positive, metavar="N", help="number of the first optimizer step (default 1)")
    prime_rl.add_argument("--pad-to-multiple", type=_positive, metavar="N", help="of a micro-batch's tokens; its model.cp (default 1)")
    prime_rl.add_argument("--environment", metavar="NAME", help="name in its metrics (default turnwise)")
    verl = parser.add_argument_group("verl")
    verl.add_argument("--pad-token-id", type=_natural, metavar="N", help="outside the attention mask (default 0)")
    return parser


def main(arguments: list[str]) -> int:
    """Raises InvalidJob for a batch or folder that cannot serve, OSError when the folder cannot be written."""
    given = build_parser().parse_args(arguments)
    _refuse(given, VERL_ONLY if given.engine == "prime-rl" else PRIME_RL_ONLY)
    from trainer.engines.folder import check_target, write_folder
    from trainer.engines.rows import read_export_batch

    target = given.out.resolve()
    check_target(target)
    batch = read_export_batch(given.batch, given.sha256, given.max_length)
    write_folder(target, _export(batch, given))
    print(f"{len(batch.rows)} rows ({batch.header['numActionTokens']} action tokens) written for {given.engine} to {target}")
    return EXIT_DONE


def _export(batch: "ExportBatch", given: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """The engine's files, then export.json."""
    from trainer.engines.folder import with_manifest

    if given.engine == "verl":
        from trainer.engines import verl

        options = verl.VerlOptions(**_chosen(given, verl.VerlOptions))
        about = {"engine": "verl", "engineVersion": verl.VERSION, "options": asdict(options)}
        return with_manifest(batch, verl.files(batch, options), about)
    from trainer.engines import prime_rl

    options = prime_rl.PrimeRlOptions(**_chosen(given, prime_rl.PrimeRlOptions))
    steps = prime_rl.plan(batch, options)
    places = prime_rl.places(batch, steps, options)
    about = {"engine": "prime-rl", "engineVersion": prime_rl.COMMIT, "options": asdict(options), "places": places}
    return with_manifest(batch, prime_rl.files(batch, steps, options), about)


def _chosen(given: argparse.Namespace, options: type) -> dict[str, Any]:
    """The arguments that were given; for the others the engine's defaults hold."""
    return {field.name: value for field in fields(options) if (value := getattr(given, field.name)) is not None}


def _refuse(given: argparse.Namespace, names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(given, name) is not None:
            raise InvalidJob(f"--{name.replace('_', '-')} means nothing for {given.engine}")


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _temperature(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
