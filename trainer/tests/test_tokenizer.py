"""The tokenizer job: what is one token, what never merges, and that text survives."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from helpers import Zygote
from trainer.contracts import TokenizerJob
from trainer.corpus import Segment
from trainer.tokenizer import SegmentEncoder, tokenizer_json

SPECIAL, ATOMIC = ["<e>", "<u>", "<a>"], ["@r1", "@r12", "cancel_reservation"]
TEXTS = ["<u>please cancel my booking @r1 for 2024<e>", '<a>cancel_reservation{"id":"@r12"}<e>', "please cancel the booking @r12 now"] * 20


def job(**fields: object) -> TokenizerJob:
    defaults = {"data_path": Path(), "vocab_size": 400, "special_tokens": SPECIAL, "atomic_tokens": ATOMIC, "output_directory": Path()}
    return TokenizerJob(**{**defaults, **fields})  # type: ignore[arg-type]


TOKENIZER = Tokenizer.from_str(json.dumps(tokenizer_json(job(), TEXTS)))


def tokens(text: str) -> list[str]:
    return [TOKENIZER.decode([index], skip_special_tokens=False) for index in TOKENIZER.encode(text).ids]


@given(st.text())
def test_text_survives_encoding_and_decoding(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text).ids, skip_special_tokens=False) == text


def test_words_own_their_trailing_space_and_digits_stand_alone() -> None:
    assert tokens("please cancel 2024") == ["please ", "cancel ", "2", "0", "2", "4"]


def test_listed_tokens_are_never_split_nor_merged() -> None:
    assert tokens("<u>@r12@r1cancel_reservation<e>") == ["<u>", "@r12", "@r1", "cancel_reservation", "<e>"]


def test_special_tokens_have_the_first_ids_then_come_atomic_ones() -> None:
    assert [TOKENIZER.token_to_id(token) for token in SPECIAL + ATOMIC] == [0, 1, 2, 3, 4, 5]


def test_atomic_tokens_are_text_and_special_ones_are_not() -> None:
    assert TOKENIZER.decode(TOKENIZER.encode("<u>@r1<e>").ids) == "@r1"


def test_every_segment_is_tokenized_on_its_own(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(TOKENIZER.to_str())
    encoder = SegmentEncoder(tmp_path / "tokenizer.json")
    ids, mask = encoder.encode([Segment("please can", False), Segment("cel my booking", True)])
    first, second = TOKENIZER.encode("please can").ids, TOKENIZER.encode("cel my booking").ids
    assert ids == first + second != TOKENIZER.encode("please cancel my booking").ids
    assert mask == [False] * len(first) + [True] * len(second)


def write_job(tmp_path: Path, **fields: object) -> Path:
    rows = [{"segments": [{"text": text, "trained": True}]} for text in TEXTS]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    defaults = {"schemaVersion": 1, "dataPath": "data.jsonl", "vocabSize": 400, "specialTokens": SPECIAL, "atomicTokens": ATOMIC}
    (tmp_path / "job.json").write_text(json.dumps({**defaults, "outputDirectory": "out", **fields}))
    return tmp_path / "job.json"


def test_the_job_writes_equal_bytes_every_time(tmp_path: Path, zygote: Zygote) -> None:
    path = write_job(tmp_path)
    assert zygote.run("tokenizer", path).exit_code == 0
    first = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert zygote.run("tokenizer", path).exit_code == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == first
    assert first.keys() == {"tokenizer.json", "tokenizer_config.json"}


def test_transformers_reads_the_directory(tmp_path: Path, zygote: Zygote) -> None:
    from transformers import AutoTokenizer

    zygote.run("tokenizer", write_job(tmp_path))
    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert theirs.encode(TEXTS[0], add_special_tokens=False) == TOKENIZER.encode(TEXTS[0]).ids
    assert theirs.pad_token == "<e>"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocabSize": 257}, "vocabSize 257 is less than 256 bytes and 6 listed tokens"),
        ({"atomicTokens": ["<e>"]}, "list a token twice"),
        ({"dataPath": "nowhere.jsonl"}, "data cannot be read"),
        ({"dataPath": "job.json"}, "job.json line 1: expected"),
    ],
)
def test_a_bad_job_is_refused_and_writes_nothing(tmp_path: Path, zygote: Zygote, fields: dict[str, object], message: str) -> None:
    finished = zygote.run("tokenizer", write_job(tmp_path, **fields))
    assert finished.exit_code == 2
    assert finished.stderr.startswith("error: trainer.invalid-job: ")
    assert message in finished.stderr
    assert not (tmp_path / "out").exists()
