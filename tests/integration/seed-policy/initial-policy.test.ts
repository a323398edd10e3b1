// A random start by the command, and what it refuses. That it serves and trains is shown by tests/e2e/module-campaign.test.ts.
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { modelFiles } from "#adapters/policy-store/policy-store.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython } from "../../support/python.ts";

const SMALL = ["--layers", "1", "--heads", "2", "--context", "512"];
const init = (folder: string, ...options: string[]) =>
  execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "policy", "init", folder, ...options], {
    reject: false,
    env: { NO_COLOR: "1" },
  });

test.skipIf(!hasPython)(
  "the same seed is the same policy, another seed another, and what lies there is not replaced",
  { timeout: 300_000 },
  async () => {
    const folder = temporaryFolder();
    const make = async (name: string, seed: number) => {
      const { stdout, stderr } = await init(join(folder, name), ...SMALL, "--seed", String(seed), "--json");
      expect(stderr).toBe("");
      return JSON.parse(stdout) as { policyHash: string; numParameters: number; folder: string };
    };
    const [one, same, other] = await Promise.all([make("one", 1), make("same", 1), make("other", 2)]);
    expect(same.policyHash).toBe(one.policyHash);
    expect(other.policyHash).not.toBe(one.policyHash);
    // Embeddings of 264 tokens; a layer of width 32: four attention matrices, two norms of heads, three of the feed-forward, two norms; the last norm.
    expect(one.numParameters).toBe(264 * 32 + (4 * 32 * 32 + 2 * 16 + 3 * 32 * 96 + 2 * 32) + 32);
    expect(await modelFiles(one.folder)).toEqual(["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);

    const taken = join(folder, "one");
    await writeFile(join(taken, "mine.txt"), "mine");
    const refused = await init(taken, ...SMALL);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("config.invalid")]);
    expect(await readdir(taken)).toContain("mine.txt");
  },
);
