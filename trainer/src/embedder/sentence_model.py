"""A sentence model of BERT's kind: the mean of its last hidden states, as sentence-transformers' all-MiniLM models are used."""

import hashlib
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

LONGEST = 512


class SentenceModel:
    """`id` names the weights: equal ids, equal vectors on one machine."""

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)
        self.id = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_longest(folder))
        self._tokenizer.no_padding()
        self._model = BertModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32, add_pooling_layer=False).eval()

    @torch.inference_mode()
    def embed(self, text: str) -> list[float]:
        """One text at a time: what stands beside it in a batch would change its last digits. Longer texts are cut at the model's length."""
        ids = torch.tensor([self._tokenizer.encode(text).ids])
        states = self._model(input_ids=ids).last_hidden_state[0]
        return states.double().mean(dim=0).tolist()


def _longest(folder: Path) -> int:
    settings = folder / "sentence_bert_config.json"
    return int(json.loads(settings.read_text())["max_seq_length"]) if settings.is_file() else LONGEST
