// docs/architecture.md says who waits for how long. The figures are read from where they are set.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { DEFAULT_REPLY_LIMITS } from "#adapters/simulator/reply-retries.ts";
import { SimulatorConfig } from "#contracts/campaign-config.ts";
import { DEFAULT_GROUP_LIMITS } from "#core/rollout/run-group.ts";

const text = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
const found = (path: string, pattern: RegExp) => pattern.exec(text(path))?.slice(1) ?? [];
const howLong = new Map(
  [...text("docs/architecture.md").matchAll(/^\| ([^|]+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$/gm)].map(([, who = "", long = ""]) => [
    who,
    long,
  ]),
);

test("the table of waits has the figures of the code", () => {
  const [retries] = found("src/adapters/inference/client.ts", /maxRetries: (\d+),/);
  const [first, longest, attempts] = found(
    "workflows/activity-options.ts",
    /initialInterval: "([^"]+)".*maximumInterval: "([^"]+)", maximumAttempts: (\d+)/,
  );
  const [firstQueued, longestQueued] = found(
    "workflows/until-taken.ts",
    /SCHEDULE_TO_START: ScheduleToStart = \{ initialSeconds: (\d+), maximumSeconds: (\d+) \}/,
  );
  const { timeoutSeconds, deadlineSeconds, maxBadReplies } = DEFAULT_REPLY_LIMITS;
  const { maxWaitSeconds, maxAttempts } = DEFAULT_GROUP_LIMITS;
  expect(howLong.get("the HTTP client of models")).toBe(`${retries} retries`);
  expect(howLong.get("a reply of the simulated user")).toBe(
    `${timeoutSeconds} s a call, ${deadlineSeconds} s a reply, ${maxBadReplies} bad replies`,
  );
  expect(howLong.get("a rollout")).toBe(`${maxWaitSeconds} s since its last finished turn`);
  expect(howLong.get("a trial of a group")).toBe(`${maxAttempts} attempts, each with its own seed`);
  expect(howLong.get("an activity")).toBe(`${attempts} attempts, ${first} to ${longest} apart`);
  expect(howLong.get("a workflow")).toBe(`${firstQueued} s, doubled up to ${longestQueued} s`);
});

test("a campaign's user waits as long as one that is not of a campaign", () => {
  const config = SimulatorConfig.parse({ type: "llm", baseUrl: "http://127.0.0.1:1/v1", model: "m" });
  expect(config).toMatchObject({ ...DEFAULT_REPLY_LIMITS });
});

test("no client of models tries again by itself", () => {
  const makers = globSync("{src,workers,activities}/**/*.ts", { cwd: REPOSITORY }).filter((path) => /new OpenAI\(/.test(text(path)));
  expect(makers).toEqual(["src/adapters/inference/client.ts"]);
});
