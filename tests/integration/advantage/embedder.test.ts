// The embedder's real process, with a model of a few thousand random weights in the layout of sentence-transformers.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEmbedder } from "#adapters/embedder/open-embedder.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { hasPython, PYTHON } from "../../support/python.ts";

const TINY = `
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
import torch
folder = sys.argv[1]
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "print", "(", ")", "1", "2", "+", "import", "os"]
tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]").save_pretrained(folder)
torch.manual_seed(0)
config = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=32)
BertModel(config).save_pretrained(folder)
open(folder + "/sentence_bert_config.json", "w").write('{"max_seq_length": 16}')
`;

const never = () => new AbortController().signal;

describe.runIf(hasPython)("the embedder", { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "turnwise-embedder-"));
  const model = relative(REPOSITORY, folder);
  beforeAll(() => {
    execFileSync(PYTHON, ["-c", TINY, folder], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, HF_HUB_OFFLINE: "1" } });
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test("one vector for each program, the same whatever else is asked, and longer programs are cut at the model's length", async () => {
    const long = "print ( 1 ) ".repeat(50);
    const [alone, among] = [
      await openEmbedder(model, PYTHON).embed(["print(1)"], never()),
      await openEmbedder(model, PYTHON).embed(["import os", "print(1)", "print ( 1 )", long, `${long} 2`], never()),
    ];
    expect(alone[0]).toHaveLength(16);
    expect(among[1]).toEqual(alone[0]);
    expect(among[2]).toEqual(alone[0]);
    expect(among[0]).not.toEqual(alone[0]);
    expect(among[3]).toEqual(among[4]);
  });

  test("a model that is not there is refused with what installs it", async () => {
    await expect(openEmbedder("no-such-model", PYTHON).embed(["x"], never())).rejects.toMatchObject({
      code: "config.unreachable",
      next: expect.stringContaining("uv pip install"),
    });
  });

  test("a process that fails is an outage, not a vector", async () => {
    writeFileSync(join(folder, "model.safetensors"), "no tensors");
    await expect(openEmbedder(model, PYTHON).embed(["x"], never())).rejects.toMatchObject({ code: "provider.unavailable" });
    await expect(openEmbedder(model, "/no/such/python").embed(["x"], never())).rejects.toMatchObject({ code: "provider.unavailable" });
  });

  test("a signal ends it", async () => {
    const stop = new AbortController();
    const asked = openEmbedder(model, PYTHON).embed(["x"], stop.signal);
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});
