// Text to token ids and back, from a tokenizer.json; the same ids as Python's `tokenizers` gives.
import { readFileSync } from "node:fs";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { CampaignError } from "#core/errors.ts";
import type { Tokenizer } from "#core/prompt-format/prompt-format.ts";

/** Segments recur in every turn of a conversation and in every rollout of a task. */
const MAX_REMEMBERED = 50_000;

/** Throws contract.invalid when the file is missing or no tokenizer. */
export function createTokenizer(tokenizerJsonPath: string): Tokenizer {
  const tokenizer = load(tokenizerJsonPath);
  const remembered = new Map<string, number[]>();
  return {
    encode(text) {
      const known = remembered.get(text);
      if (known !== undefined) return known;
      const ids = tokenizer.encode(text, { add_special_tokens: false }).ids;
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(text, ids);
      return ids;
    },
    decode: (ids) =>
      ids.length === 0 ? "" : tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    specialId(token) {
      const id = tokenizer.token_to_id(token);
      if (id === undefined) throw new CampaignError("contract.invalid", `${tokenizerJsonPath} has no token ${token}`);
      return id;
    },
  };
}

function load(path: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(JSON.parse(readFileSync(path, "utf8")) as object, {});
  } catch (cause) {
    throw new CampaignError("contract.invalid", `${path} is not a tokenizer: ${String(cause)}`, { cause });
  }
}
