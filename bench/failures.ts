// How long it takes until a person is told of what trying again cannot cure, and how often an endpoint is asked until then. Groups as a
// campaign runs them (8 at once, of 8 rollouts), real HTTP, the retries of the activity; its waits are added, not slept.

import { scriptedSimulator } from "#simulators/scripted.ts";
import { createChatPolicy } from "../src/adapters/inference/chat-policy.ts";
import { createInferenceClient } from "../src/adapters/inference/client.ts";
import { createLlmSimulator } from "../src/adapters/simulator/llm.ts";
import type { Task } from "../src/contracts/task.ts";
import { CampaignError } from "../src/core/errors.ts";
import type { Policy, UserSimulator } from "../src/core/ports.ts";
import { DEFAULT_GROUP_LIMITS, runGroup } from "../src/core/rollout/run-group.ts";
import { loadSyntheticAirline } from "../src/environments/synthetic-airline/airline.ts";
import { type FailingServer, sendJson, startFailingServer } from "../tests/integration/inference/failing-server.ts";
import { retryUntilTold } from "../tests/support/activity-retries.ts";
import { realClock } from "../tests/support/real-clock.ts";
import { memoryJournal } from "../tests/unit/core/rollout/parties.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice } from "./report.ts";

const NUM_GROUPS = 8;
const GROUP_SIZE = 8;
const ref = { name: "policy", hash: "0", manifest: null };

interface Case {
  readonly name: string;
  answer(server: Parameters<Parameters<typeof startFailingServer>[0]>[0]): void;
  parties(baseUrl: string): { readonly policy: Policy; readonly simulator: UserSimulator };
}

const client = (baseUrl: string) => createInferenceClient({ baseUrl, environment: {} });
const policyAt = (baseUrl: string): Policy =>
  createChatPolicy({ client: client(baseUrl), ref, temperature: 1, maxTokensPerTurn: 64, maxContextTokens: 4096 });
const userAt = (baseUrl: string): UserSimulator =>
  createLlmSimulator({ client: client(baseUrl), model: "user", temperature: 1, maxTokens: 64 });
const policyOnly = (baseUrl: string) => ({ policy: policyAt(baseUrl), simulator: scriptedSimulator });
const userOnly = (baseUrl: string) => ({ policy: policyAt(baseUrl), simulator: userAt(baseUrl) });
const refusal = { error: { message: "Unsupported parameter: 'max_tokens'", code: "unsupported_parameter" } };
const withoutTokens = {
  choices: [{ message: { content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 2, completion_tokens: 1 },
};

const CASES: readonly Case[] = [
  { name: "the policy's endpoint answers 400", answer: (response) => sendJson(response, 400, refusal), parties: policyOnly },
  { name: "the user's endpoint answers 400", answer: (response) => sendJson(response, 400, refusal), parties: userOnly },
  { name: "the user's model is not there (404)", answer: (response) => sendJson(response, 404, {}), parties: userOnly },
  { name: "the policy's key is refused (401)", answer: (response) => sendJson(response, 401, {}), parties: policyOnly },
  { name: "the policy's server gives no token ids", answer: (response) => sendJson(response, 200, withoutTokens), parties: policyOnly },
];

export async function run(_: BenchmarkOptions): Promise<BenchmarkReport> {
  const { environment, splits } = loadSyntheticAirline(1);
  const rows: BenchmarkRow[] = [];
  for (const { name, answer, parties } of CASES) {
    const server: FailingServer = await startFailingServer(answer);
    try {
      const start = performance.now();
      const told = await Promise.all(
        splits.train.slice(0, NUM_GROUPS).map((task: Task) => {
          const journals = new Map<string, ReturnType<typeof memoryJournal>>();
          const journal = (trial: number, attempt: number) => {
            const key = `${trial}/${attempt}`;
            const known = journals.get(key) ?? memoryJournal();
            journals.set(key, known);
            return known;
          };
          return retryUntilTold(() =>
            runGroup({
              task,
              groupSize: GROUP_SIZE,
              environment,
              ...parties(server.baseUrl),
              seed: task.id,
              journal,
              limits: { ...DEFAULT_GROUP_LIMITS, maxTurns: 30 },
              ensurePolicy: async () => {},
              clock: realClock,
              signal: new AbortController().signal,
            }),
          );
        }),
      );
      const seconds = (performance.now() - start) / 1000 + Math.min(...told.map(({ waitedSeconds }) => waitedSeconds));
      const codes = new Set(told.map(({ failure }) => (failure as { type?: string }).type ?? String(failure)));
      if (codes.size !== 1) throw new CampaignError("contract.invalid", `${name}: told differently by groups: ${[...codes].join(", ")}`);
      const row = (unit: string, ours: number): BenchmarkRow => ({
        case: `${name}: ${[...codes].join()}`,
        unit,
        ours,
        peer: null,
        peerName: null,
        ratio: null,
      });
      rows.push(row("seconds until told", seconds), row("requests", server.requests.length));
    } finally {
      await server.close();
    }
  }
  return { benchmark: "failures", device: describeDevice(), rows };
}
