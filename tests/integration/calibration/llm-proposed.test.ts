import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { TableProposal } from "#contracts/table-proposal.ts";
import { redesign } from "#core/calibration/redesign.ts";
import { registerCalibrate } from "../../../src/cli/commands/calibrate.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { fails, type Step, startUserModel, USAGE, type UserModelServer } from "../simulator/user-model.ts";

const servers: UserModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** In passing rollouts the agent looks the reservation up and cancels the right one; in failing ones it looks the user up and cancels another. */
function line(task: number, trial: number): string {
  const passes = (task + trial) % 2 === 0;
  const call = (name: string, args: object) => [
    { role: "assistant", content: null, tool_calls: [{ id: name, function: { name, arguments: JSON.stringify(args) } }] },
    { role: "tool", tool_call_id: name, content: "done" },
  ];
  return JSON.stringify({
    task_id: `task-${task}`,
    user_id: `user-${task}`,
    trial,
    outcome: passes ? 1 : 0,
    golden_actions: [{ name: "cancel_reservation", arguments: { reservation_id: "GOOD" } }],
    messages: [
      { role: "user", content: "cancel" },
      ...(passes ? call("get_reservation_details", { reservation_id: "GOOD" }) : call("get_user_details", { user_id: "u" })),
      ...call("cancel_reservation", { reservation_id: passes ? "GOOD" : "OTHER" }),
      { role: "assistant", content: "Done." },
    ],
  });
}

const ROLLOUTS = Array.from({ length: 80 }, (_, task) => [0, 1, 2, 3].map((trial) => line(task, trial)))
  .flat()
  .join("\n");

async function calibrate(steps: readonly [Step, ...Step[]], ...args: string[]) {
  const path = join(temporaryFolder(), "rollouts.jsonl");
  writeFileSync(path, ROLLOUTS);
  const server = await startUserModel(...steps);
  servers.push(server);
  const endpoint = ["--rule", "llm-proposed", "--base-url", server.baseUrl, "--model", "thinker"];
  const printed = await runCommand(registerCalibrate, ["calibrate", path, "--resamples", "200", ...endpoint, ...args], {});
  return { printed, server };
}

async function report(...steps: readonly [Step, ...Step[]]) {
  const { printed, server } = await calibrate(steps, "--json");
  return { report: CalibrationReport.parse(JSON.parse(printed)), server };
}

const GOOD: TableProposal = {
  rationale: "Looking the reservation up goes with success.",
  splits: [{ tier: "looked_up", from: "read", when: { tool: ["get_reservation_details"] } }],
  values: [
    { tier: "gold_write", value: 1 },
    { tier: "looked_up", value: 0.5 },
    { tier: "read", value: -0.5 },
  ],
};
/** A judge of the same data could not accept this one. */
const BACKWARDS: TableProposal = { rationale: "The other way round.", splits: [], values: [{ tier: "gold_write", value: -1 }] };

describe("the rule llm-proposed", () => {
  test("a proposal that splits a tier is judged on other tasks, and adopted when the gate accepts it", async () => {
    const { report: found } = await report(JSON.stringify(GOOD));
    expect(found.rule).toBe("llm-proposed/2");
    expect(found.scheme).toMatchObject({ name: "proposed", base: "finer/1" });
    expect(found.fittedTable.values).toMatchObject({ gold_write: 1, looked_up: 0.5, read: -0.5 });
    expect(found.inForceTable.values).toMatchObject({ gold_write: 1, looked_up: 0, read: 0 });
    expect(found.gate.decision).toBe("accept");
    const { parentSha256 } = found.inForceTable.lineage;
    expect(redesign(found, { ...found.inForceTable, sha256: parentSha256 ?? "" })).toMatchObject({ decision: "accept" });
  });

  test("a bad proposal does not pass the gate", async () => {
    const { report: found } = await report(JSON.stringify(BACKWARDS));
    expect(found.fittedTable.values["gold_write"]).toBe(-1);
    expect(found.gate.decision).toBe("reject");
  });

  test("the model is shown the fitting tasks only, and the exchange is recorded", async () => {
    const { report: found, server } = await report(JSON.stringify(GOOD));
    const [request] = server.bodies();
    expect(request).toMatchObject({ model: "thinker", temperature: 0, response_format: { type: "json_schema" } });
    expect(found.proposal?.prompt).toEqual(request?.messages);
    const numFitting = found.splits.find(({ split }) => split === "fit")?.numTasks;
    expect(numFitting).toBeLessThan(80);
    expect(request?.messages[1]?.content).toContain(`Tiers on ${numFitting} fitting tasks`);
    expect(found.proposal).toMatchObject({ proposal: GOOD, usage: { modelCalls: 1, promptTokens: USAGE.prompt_tokens } });
  });

  test.each<[string, string, RegExp]>([
    ["text that is not JSON", "I would rather not.", /not a JSON object/],
    ["a value out of range", JSON.stringify({ ...BACKWARDS, values: [{ tier: "read", value: 7 }] }), /<=1/],
    ["a tier that is not there", JSON.stringify({ ...BACKWARDS, values: [{ tier: "luck", value: 1 }] }), /there is no tier luck/],
    [
      "a tier with two values",
      JSON.stringify({
        ...BACKWARDS,
        values: [
          { tier: "read", value: 1 },
          { tier: "read", value: 0 },
        ],
      }),
      /two values/,
    ],
    ["a split of nothing", JSON.stringify({ ...BACKWARDS, splits: [{ tier: "x", from: "luck", when: { isWrite: true } }] }), /not there/],
    ["a fact that nobody knows", JSON.stringify({ ...BACKWARDS, splits: [{ tier: "x", from: "read", when: { mood: 1 } }] }), /mood/],
  ])("%s is sent back with the reason, and the next answer counts", async (_, answer, problem) => {
    const { report: found, server } = await report(answer, `\`\`\`json\n${JSON.stringify(GOOD)}\n\`\`\``);
    expect(found.proposal?.attempts[0]?.problem).toMatch(problem);
    expect(server.bodies()[1]?.messages.at(-1)?.content).toContain(found.proposal?.attempts[0]?.problem);
    expect(found.proposal).toMatchObject({ proposal: GOOD, usage: { modelCalls: 2 } });
  });

  test("a model that never gives a usable answer leaves the prior, under a name", async () => {
    const { report: found } = await report("no");
    expect(found.proposal).toMatchObject({ proposal: null, usage: { modelCalls: 3 } });
    expect(found.fittedTable.values).toEqual(found.inForceTable.values);
    expect(found.gate.decision).toBe("insufficient");
    expect(found.warnings.map(({ code }) => code)).toContain("no-usable-proposal");
  });

  test("an endpoint that fails is an error of its own, not a proposal", async () => {
    await expect(report(fails(500))).rejects.toMatchObject({ code: "provider.unavailable" });
    await expect(report(fails(401))).rejects.toMatchObject({ code: "provider.unauthorized" });
  });

  test("text report and page name the model and what it said", async () => {
    const page = join(temporaryFolder(), "report.html");
    const { printed } = await calibrate([JSON.stringify(GOOD)], "--html", page);
    expect(printed).toContain("## Proposed by a model");
    expect(printed).toContain("> Looking the reservation up goes with success.");
  });

  test.each([
    [["--rule", "llm-proposed"], /needs a model/],
    [["--base-url", "http://127.0.0.1:1", "--model", "m"], /asks no model/],
    [["--rule", "llm-proposed", "--base-url", "http://127.0.0.1:1", "--model", "m", "--folds", "5"], /folds must be 1/],
  ])("%j is refused before anything is read", async (args, message) => {
    await expect(runCommand(registerCalibrate, ["calibrate", "absent.jsonl", ...args], {})).rejects.toThrow(message);
  });
});

test("the model is asked with the fields of the command line", async () => {
  const { server } = await calibrate(
    [JSON.stringify(GOOD)],
    ...["--json", "--temperature", "1", "--max-tokens", "999", "--token-limit-field", "max_completion_tokens"],
  );
  expect(server.bodies()[0]).toMatchObject({ temperature: 1, max_completion_tokens: 999 });
  expect(server.bodies()[0]).not.toHaveProperty("max_tokens");
});
