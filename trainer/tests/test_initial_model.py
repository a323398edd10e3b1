"""The init job: a model directory from nothing that serves, trains and says any text."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from helpers import Zygote
from trainer.contracts import TokenizerJob
from trainer.initial_model import ATOMIC_TOKENS, SPECIAL_TOKENS
from trainer.qwen3 import load_qwen3
from trainer.tokenizer import tokenizer_json

SHAPE = {"hiddenSize": 32, "numLayers": 2, "numHeads": 4, "numKeyValueHeads": 2, "headDim": 8, "intermediateSize": 48}
TOKENIZER = Tokenizer.from_str(json.dumps(tokenizer_json(TokenizerJob(Path(), 264, SPECIAL_TOKENS, ATOMIC_TOKENS, Path()), [])))


def write_job(tmp_path: Path, **shape: int) -> Path:
    config = {**SHAPE, "ropeTheta": 10000, "maxPositions": 512, **shape}
    (tmp_path / "job.json").write_text(json.dumps({"schemaVersion": 1, "modelConfig": config, "seed": 3, "outputDirectory": "out"}))
    return tmp_path / "job.json"


@given(st.text())
def test_any_text_survives_and_a_byte_is_a_token(text: str) -> None:
    ids = TOKENIZER.encode(text).ids
    assert TOKENIZER.decode(ids, skip_special_tokens=False) == text
    if not any(token in text for token in [*SPECIAL_TOKENS, *ATOMIC_TOKENS]):
        assert len(ids) == len(text.encode())


def test_tags_of_tool_calls_are_one_token_that_a_decoded_turn_still_shows() -> None:
    ids = TOKENIZER.encode("<tool_call>{}</tool_call><|im_end|>").ids
    assert len(ids) == 5
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == "<tool_call>{}</tool_call>"


def test_the_job_writes_equal_bytes_every_time_and_the_trainer_reads_them(tmp_path: Path, zygote: Zygote) -> None:
    path = write_job(tmp_path)
    assert zygote.run("init", path).exit_code == 0
    first = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert zygote.run("init", path).exit_code == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == first
    assert first.keys() == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert load_qwen3(tmp_path / "out").shape.vocab_size == TOKENIZER.get_vocab_size() == 264


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"numKeyValueHeads": 3}, "numHeads 4 is not a multiple of numKeyValueHeads 3"),
        ({"headDim": 7}, "$.modelConfig.headDim: 7 is not a multiple of 2"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, zygote: Zygote, shape: dict[str, int], message: str
) -> None:
    finished = zygote.run("init", write_job(tmp_path, **shape))
    assert finished.exit_code == 2
    assert message in finished.stderr
    assert not (tmp_path / "out").exists()
