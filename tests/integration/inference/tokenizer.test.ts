// Both sides tokenize: Node renders prompts, Python trains. One different id would train on text that nobody said.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokenizer } from "#adapters/inference/tokenizer.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, runPython } from "../../support/python.ts";

const ATOMS = [
  "<e>",
  "<a>",
  "<u>",
  "<t>",
  "@r1",
  "@r10",
  "@r",
  "@p2",
  "economy",
  "basic_economy",
  "cancel_reservation",
  '"reservation_id":',
];
const TEXTS = [
  "i would like to cancel my reservation @r1 please",
  'cancel_reservation{"reservation_id":"@r1"}',
  "at 10:30, ok? don't",
  "change of plans, thanks. 12345",
];

/** Trains the repository's kind of tokenizer; then gives Python's ids for texts and Python's text for ids. */
const SCRIPT = `
import json, sys
from pathlib import Path
from tokenizers import Tokenizer
from trainer.contracts import TokenizerJob
from trainer.tokenizer import tokenizer_json
request = json.load(sys.stdin)
job = TokenizerJob(Path("-"), 400, ["<e>", "<a>", "<u>", "<t>"], request["atoms"], Path("-"))
content = tokenizer_json(job, request["corpus"])
tokenizer = Tokenizer.from_str(json.dumps(content))
ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in request["texts"]]
texts = [tokenizer.decode([i % tokenizer.get_vocab_size() for i in row], skip_special_tokens=False) for row in request["ids"]]
json.dump({"content": content, "size": tokenizer.get_vocab_size(), "ids": ids, "texts": texts}, sys.stdout)
`;

describe.skipIf(!hasPython)("a tokenizer", () => {
  const piece = fc.oneof(
    fc.constantFrom(...ATOMS, " ", "  ", "\n", "é", "日本", "🙂", "\u00a0", "\u0301", "12", '{"', "<", "e>"),
    fc.string({ unit: "binary" }),
  );
  const texts = fc.sample(
    fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join("").toWellFormed()),
    { seed: 7, numRuns: 2000 },
  );
  const ids = fc.sample(fc.array(fc.nat(9999), { maxLength: 20 }), { seed: 7, numRuns: 1000 });

  test("gives the same ids, and the same text for any ids, as Python's", () => {
    const python = runPython(SCRIPT, { atoms: ATOMS.slice(4), corpus: Array(50).fill(TEXTS).flat(), texts, ids }) as {
      content: object;
      size: number;
      ids: number[][];
      texts: string[];
    };
    const path = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(path, JSON.stringify(python.content));
    const tokenizer = createTokenizer(path);
    expect(texts.map((text) => tokenizer.encode(text))).toEqual(python.ids);
    expect(ids.map((row) => tokenizer.decode(row.map((id) => id % python.size)))).toEqual(python.texts);
    expect(tokenizer.encode("<u>hi<a>")[0]).toBe(tokenizer.specialId("<u>"));
    expect(() => tokenizer.specialId("<none>")).toThrow(expect.objectContaining({ code: "contract.invalid" }));
  });
});

test("a file that is no tokenizer is refused", () => {
  expect(() => createTokenizer("/nowhere/tokenizer.json")).toThrow(expect.objectContaining({ code: "contract.invalid" }));
});
