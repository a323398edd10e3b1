// What every labeller must do: say of each turn of any recorded trajectory what it is. A labeller's own test calls `labellerLaws`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { NamedTierScheme, TierScheme } from "#contracts/reward-table.ts";
import type { Task } from "#contracts/task.ts";
import type { ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import { type Labeller, schemeOf } from "#core/reward/labeller.ts";

export interface LabellerUnderTest {
  readonly labeller: Labeller;
  readonly task: Task;
  /** What agents call, and with what: names and arguments are tried in every pairing, beside such as the environment does not know. */
  readonly tools: readonly string[];
  readonly argumentsJson: readonly string[];
  readonly results: readonly string[];
}

/** Runs the laws as tests, under the labeller's name. */
export function labellerLaws(name: string, given: LabellerUnderTest): void {
  describe(`a labeller (${name})`, () => {
    for (const id of Object.keys(given.labeller.schemes)) describe(id, () => schemeLaws(given, id));
  });
}

function schemeLaws({ labeller, task, ...parts }: LabellerUnderTest, id: string): void {
  const { scheme } = schemeOf(id, labeller);
  const { tiers = [], sameDeed = [], defaultTable = "" } = labeller.schemes[id] ?? {};
  const trajectories = anyTrajectory(task, parts);

  test("its scheme can be named in a campaign file and stored in a table, which names no tier that it lacks", () => {
    expect(NamedTierScheme.parse(id)).toBe(id);
    expect(TierScheme.parse(scheme)).toEqual(scheme);
    expect(new Set(tiers).size).toBe(tiers.length);
    expect(tiers).toEqual(expect.arrayContaining(sameDeed.flat()));
    const tables = readdirSync(join(REPOSITORY, "configs", "rewards"));
    if (typeof defaultTable === "string") expect(tables).toContain(`${defaultTable}.yaml`);
    else
      expect(tiers).toEqual(
        expect.arrayContaining([...Object.keys(defaultTable.values), ...Object.keys(defaultTable.intendedSigns ?? {})]),
      );
  });

  test("every turn has a tier of the scheme, and every executed call has, and no other", () => {
    fc.assert(
      fc.property(trajectories, (trajectory) => {
        const labelled = labeller.label(trajectory, task, scheme);
        expect(labelled.map(({ turn }) => turn)).toEqual(trajectory.turns.map(({ index }) => index));
        for (const [position, { tier, callTiers, numIgnoredCalls }] of labelled.entries()) {
          const calls = trajectory.turns[position]?.toolCalls ?? [];
          expect(callTiers.map(({ callIndex }) => callIndex)).toEqual(calls.flatMap((call, index) => (call.isExecuted ? [index] : [])));
          expect(numIgnoredCalls).toBe(calls.length - callTiers.length);
          expect(tiers).toEqual(expect.arrayContaining([tier, ...callTiers.map((call) => call.tier)]));
          if (callTiers.length > 0) expect(callTiers.map((call) => call.tier)).toContain(tier);
        }
      }),
    );
  });

  test("the same trajectory is the same deeds, and stays as it was", () => {
    fc.assert(
      fc.property(trajectories, (trajectory) => {
        const before = structuredClone(trajectory);
        const labelled = labeller.label(trajectory, task, scheme);
        expect(labeller.label(trajectory, task, scheme)).toEqual(labelled);
        expect(trajectory).toEqual(before);
      }),
    );
  });

  test("what comes later changes nothing of what a turn was", () => {
    fc.assert(
      fc.property(trajectories, fc.nat(6), (whole, numTurns) => {
        const begun = { ...whole, turns: whole.turns.slice(0, numTurns) };
        const ended = { ...whole, outcome: { ...whole.outcome, stopReason: "agent-stop" as const } };
        const [part, all] = [begun, whole].map((one) => labeller.label({ ...one, outcome: ended.outcome }, task, scheme));
        expect(part).toEqual(all?.slice(0, numTurns));
      }),
    );
  });
}

function anyTrajectory(
  task: Task,
  { tools, argumentsJson, results }: Omit<LabellerUnderTest, "labeller" | "task">,
): fc.Arbitrary<Trajectory> {
  const call = fc
    .record({
      name: fc.constantFrom(...tools, "no_such_tool"),
      argumentsJson: fc.constantFrom(...argumentsJson, "{}", "{"),
      result: fc.constantFrom(...results, ""),
      isError: fc.boolean(),
      isExecuted: fc.boolean(),
    })
    .map((one): ToolCall => ({ id: "c", ...one, result: one.isExecuted ? one.result : null }));
  const turn = fc.record({
    content: fc.constantFrom(null, "", "one moment", "the answer is 35"),
    toolCalls: fc.array(call, { maxLength: 3 }),
    userReply: fc.constantFrom(null, "yes, please"),
  });
  const stopReason = fc.constantFrom("agent-stop" as const, "user-stop" as const, "turn-cap" as const, "unparsable" as const);
  return fc.tuple(fc.array(turn, { maxLength: 6 }), stopReason).map(([turns, reason]) => trajectoryOf(task, turns, reason));
}

function trajectoryOf(
  task: Task,
  turns: readonly Pick<Turn, "content" | "toolCalls" | "userReply">[],
  stopReason: Trajectory["outcome"]["stopReason"],
): Trajectory {
  return {
    taskId: task.id,
    firstUserMessage: task.instruction,
    turns: turns.map((one, index) => ({ ...one, index, finishReason: "stop", stateHash: null })),
    outcome: { stopReason },
  } as unknown as Trajectory; // what no labeller may look at is not there
}
