import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { longTemporaryFolder } from "../../../fixtures/temporary-folder.ts";

interface Run {
  readonly domain: string;
  readonly llmArgs: object | null;
  readonly prompt: string | null;
  readonly words: string;
}

function results({ domain, llmArgs, prompt, words }: Run): string {
  return JSON.stringify({
    info: {
      agent_info: { implementation: "llm_agent", llm: "m", llm_args: llmArgs },
      environment_info: { domain_name: domain, policy: prompt },
    },
    tasks: [{ id: "0", user_scenario: "close it", evaluation_criteria: { actions: [] } }],
    simulations: [
      {
        id: "s",
        task_id: "0",
        trial: 0,
        termination_reason: "user_stop",
        reward_info: { reward: 1 },
        messages: [
          { role: "user", content: "hi" },
          { role: "assistant", content: words },
        ],
      },
    ],
  });
}

describe("policies of one name", () => {
  const folder = longTemporaryFolder();
  let numFiles = 0;
  const write = (run: Run): string => {
    const path = join(folder, `run-${numFiles++}.json`);
    writeFileSync(path, results(run));
    return path;
  };
  const policiesOf = async (...runs: readonly Run[]) =>
    (await readRollouts(runs.map(write), { catalog: createToolCatalog({}), tasks: null })).reading.policies;
  const RUN: Run = { domain: "shop", llmArgs: { temperature: 0, top_p: 1 }, prompt: "Be kind.", words: "ok" };

  test("are one where nothing that is told differs, in any order of keys", async () => {
    const other = { ...RUN, llmArgs: { top_p: 1, temperature: 0 }, words: "fine" };
    expect(await policiesOf(RUN, other)).toEqual({ m: 2 });
    expect(await policiesOf(RUN, { ...RUN, llmArgs: null, words: "fine" })).toEqual({ m: 2 });
  });

  test("are one over two domains, each with its own policy text", async () => {
    expect(await policiesOf(RUN, { ...RUN, domain: "airline", prompt: "Fly well.", words: "fine" })).toEqual({ m: 2 });
  });

  test.each([
    ["the model's arguments", { llmArgs: { temperature: 1, top_p: 1 } }],
    ["the policy text", { prompt: "Be kind!" }],
  ])("are two where %s differ, and the account says so", async (_, change) => {
    const files = [write(RUN), write({ ...RUN, ...change, words: "fine" })];
    const { reading, byPolicy } = await readRollouts(files, { catalog: createToolCatalog({}), tasks: null });
    expect(Object.keys(reading.policies)).toEqual([expect.stringMatching(/^m#[0-9a-f]{6}$/), expect.stringMatching(/^m#[0-9a-f]{6}$/)]);
    expect(Object.keys(reading.notes).filter((note) => /^policies of one name/.test(note))).toHaveLength(1);
    expect([...byPolicy().values()].map(({ rollouts }) => rollouts.length)).toEqual([1, 1]);
  });

  test("are as many as there are settings, whatever the order of the files", async () => {
    const runs = fc.uniqueArray(fc.record({ temperature: fc.integer({ min: 0, max: 3 }), prompt: fc.constantFrom("a", "b") }), {
      minLength: 2,
      maxLength: 5,
      selector: ({ temperature, prompt }) => `${temperature} ${prompt}`,
    });
    await fc.assert(
      fc.asyncProperty(runs, async (settings) => {
        const made = settings.map(({ temperature, prompt }, n) => ({ ...RUN, llmArgs: { temperature }, prompt, words: `${n}` }));
        const policies = await policiesOf(...made);
        expect(Object.keys(policies)).toHaveLength(settings.length);
        expect(await policiesOf(...made.toReversed())).toEqual(policies);
      }),
      { numRuns: 20 },
    );
  });
});
