"""Byte-level BPE for small models, and encoding of segments with it.

Words own their trailing space (a bare space token before every value would break in-context copying, as all values would follow
the same token), digits stand alone, and special and atomic tokens are never split nor merged with anything.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from model.errors import InvalidJob
from model.files import fresh_directory, replace_directory, sha256_file
from trainer.contracts import TokenizerJob, read_tokenizer_job
from trainer.corpus import Segment, read_corpus

PIECES = r"\p{L}+ ?|\p{N}|[^\s\p{L}\p{N}]+ ?|\s+"


def train_tokenizer(job_file: Path) -> str:
    """Runs a TokenizerJob; the result is one line that says what was made. Same data and job, same bytes."""
    job = read_tokenizer_job(job_file)
    texts = (segment.text for row in read_corpus(job.data_path) for segment in row)
    content = tokenizer_json(job, texts)
    temporary = fresh_directory(job.output_directory.with_name(f".{job.output_directory.name}.tmp"))
    (temporary / "tokenizer.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (temporary / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(job), indent=2) + "\n")
    replace_directory(temporary, job.output_directory)
    digest = sha256_file(job.output_directory / "tokenizer.json")
    return f"tokenizer of {len(content['model']['vocab'])} tokens in {job.output_directory}, sha256 {digest}"


def tokenizer_json(job: TokenizerJob, texts: Iterable[str]) -> dict[str, Any]:
    """Content of tokenizer.json. Ids: special tokens, atomic tokens, bytes, merges, in this order."""
    listed = [*job.special_tokens, *job.atomic_tokens]
    if len(set(listed)) != len(listed):
        raise InvalidJob("specialTokens and atomicTokens list a token twice")
    if job.vocab_size < 256 + len(listed):
        raise InvalidJob(f"vocabSize {job.vocab_size} is less than 256 bytes and {len(listed)} listed tokens")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=job.vocab_size,
        min_frequency=2,
        special_tokens=listed,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_between(listed, texts), trainer)
    content = json.loads(tokenizer.to_str())
    for token in content["added_tokens"]:
        token["special"] = token["content"] in job.special_tokens
    return content


def tokenizer_config(job: TokenizerJob) -> dict[str, Any]:
    """tokenizer_config.json for transformers and vLLM."""
    config: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    if job.special_tokens:
        config |= {"eos_token": job.special_tokens[0], "pad_token": job.special_tokens[0]}
    return config


class SegmentEncoder:
    """Token ids and loss mask of rows of segments. Equal texts recur in every conversation, so their ids are remembered."""

    def __init__(self, tokenizer_file: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        except Exception as error:  # the library raises bare Exception
            raise InvalidJob(f"{tokenizer_file} cannot be read: {error}") from None
        self._ids: dict[str, list[int]] = {}
        self.vocab_size = self._tokenizer.get_vocab_size()

    def encode(self, segments: list[Segment]) -> tuple[list[int], list[bool]]:
        ids: list[int] = []
        mask: list[bool] = []
        for segment in segments:
            piece = self._encode_text(segment.text)
            ids += piece
            mask += [segment.trained] * len(piece)
        return ids, mask

    def _encode_text(self, text: str) -> list[int]:
        if text not in self._ids:
            self._ids[text] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return self._ids[text]


def _between(listed: list[str], texts: Iterable[str]) -> Iterator[str]:
    """The stretches of text between listed tokens: what merges are learned from."""
    if not listed:
        yield from texts
        return
    separator = re.compile("|".join(re.escape(token) for token in sorted(listed, key=len, reverse=True)))
    for text in texts:
        yield from (piece for piece in separator.split(text) if piece)
