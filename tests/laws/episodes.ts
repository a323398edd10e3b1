// What holds of every episode, whatever world it is of. Each world's test opens it here; rollouts are the real ones.
import { describe, expect, test } from "vitest";
import type { Task } from "#contracts/task.ts";
import { Trajectory } from "#contracts/trajectory.ts";
import type { Episode, World } from "#core/environment/episode.ts";
import { EPISODE_SECONDS } from "#core/environment/guarded-episode.ts";
import type { AgentTurn, Clock, JournalEntry, UserSimulator } from "#core/ports.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { memoryJournal, scriptedPolicy } from "../unit/core/rollout/parties.ts";

export interface LawfulWorld {
  readonly world: World;
  readonly task: Task;
  /** An agent that plays to an end; at least one message has calls. */
  readonly script: readonly Partial<AgentTurn>[];
  readonly simulator: UserSimulator;
}

/** Time that never passes: no deadline is ever over. */
export const ENDLESS: Clock = { now: () => 0, sleep: () => new Promise<never>(() => {}) };

type Part = "open" | "act" | "fingerprint" | "grade" | "close";

/** Runs the laws on what `open` gives; it is called anew for every law. */
export function episodeLaws(name: string, open: () => LawfulWorld): void {
  const rollOut = async (lawful: LawfulWorld, { journal = memoryJournal(), clock = ENDLESS, signal = new AbortController().signal } = {}) =>
    await runTrajectory({
      task: lawful.task,
      trial: 0,
      environment: lawful.world,
      policy: scriptedPolicy(lawful.script),
      simulator: lawful.simulator,
      journal,
      clock,
      seed: "laws",
      limits: { maxTurns: 30 },
      signal,
    });

  describe(`${name}: laws of episodes`, () => {
    test("a grade is in range, and the trajectory is in its contract", async () => {
      const { trajectory } = await rollOut(open());
      expect(Trajectory.parse(trajectory)).toEqual(trajectory);
      expect(trajectory.outcome.reward).toBeGreaterThanOrEqual(0);
      expect(trajectory.outcome.reward).toBeLessThanOrEqual(1);
      expect(trajectory.outcome.passed).toBeTypeOf("boolean");
      expect(trajectory.turns.some(({ toolCalls }) => toolCalls.some(({ isExecuted }) => isExecuted))).toBe(true);
    });

    test("close is called once, when the rollout ends by itself", async () => {
      const watched = watch(open());
      await rollOut(watched);
      expect(watched.numCloses).toEqual([1]);
    });

    test.each(["act", "fingerprint", "grade"] as const)("close is called once, when %s throws: the rollout has no reward", async (part) => {
      const watched = watch(open(), { part, how: () => Promise.reject(new TypeError("bug")) });
      const { trajectory } = await rollOut(watched);
      expect(trajectory.outcome).toMatchObject({ type: "env_error", reward: null, passed: null });
      expect(watched.numCloses).toEqual([1]);
    });

    test("an error in closing changes nothing of the rollout", async () => {
      const calm = await rollOut(open());
      const watched = watch(open(), { part: "close", how: () => Promise.reject(new TypeError("bug")) });
      expect((await rollOut(watched)).trajectory).toEqual(calm.trajectory);
      expect(watched.numCloses).toEqual([1]);
    });

    test("close is called once, when somebody cancels in the middle of a call", async () => {
      const controller = new AbortController();
      const cancel = () => {
        controller.abort(new Error("cancelled"));
        return Promise.reject(controller.signal.reason as Error);
      };
      const watched = watch(open(), { part: "act", how: cancel });
      await expect(rollOut(watched, { signal: controller.signal })).rejects.toThrow("cancelled");
      expect(watched.numCloses).toEqual([1]);
    });

    test.each(["open", "act", "fingerprint", "grade", "close"] as const)(
      "a world that hangs in %s is given up at its deadline",
      async (part) => {
        const watched = watch(open(), { part, how: () => new Promise<never>(() => {}) });
        const slept: number[] = [];
        const clock = {
          now: () => 0,
          sleep: (milliseconds: number) => {
            slept.push(milliseconds / 1000);
            const isLast = milliseconds === EPISODE_SECONDS[part] * 1000 && watched.hasBegun(part);
            return isLast ? Promise.resolve() : new Promise<void>(() => {});
          },
        };
        const { trajectory, error } = await rollOut(watched, { clock });
        expect(slept).toContain(EPISODE_SECONDS[part]);
        if (part === "close") expect(trajectory.outcome.reward).not.toBeNull();
        else expect([trajectory.outcome.type, error]).toEqual(["env_error", expect.objectContaining({ code: "environment.timeout" })]);
        expect(watched.numCloses).toEqual(part === "open" ? [] : [1]);
      },
    );

    test("an interrupted rollout ends as the undisturbed one, or says that it began again", async () => {
      const whole = (await rollOut(open())).trajectory;
      const numEntries = whole.turns.length + 1;
      for (let diesAfter = 0; diesAfter < numEntries; diesAfter++) {
        const entries: JournalEntry[] = [];
        const first = watch(open());
        await expect(rollOut(first, { journal: memoryJournal(entries, diesAfter) })).rejects.toThrow("killed");
        const second = watch(open());
        const { trajectory, numResumedTurns } = await rollOut(second, { journal: memoryJournal(entries) });
        expect([...first.numCloses, ...second.numCloses]).toEqual([1, 1]);
        if (first.world.resume !== "restart") {
          expect(trajectory).toEqual(whole);
          expect(numResumedTurns).toBe(Math.max(0, diesAfter - 1));
        } else {
          const { numRestarts, usage, ...rest } = trajectory;
          const { usage: once, ...told } = whole;
          expect(rest).toEqual(told);
          expect(numRestarts ?? 0).toBe(diesAfter > 1 ? 1 : 0);
          expect(usage.modelCalls).toBe(once.modelCalls + Math.max(0, diesAfter - 1));
        }
      }
    });

    test("a world that answers otherwise than the record is refused, unless it begins again", async () => {
      const entries: JournalEntry[] = [];
      const { world, script } = open();
      const withCall = script.findIndex(({ toolCalls = [] }) => toolCalls.length > 0);
      await expect(rollOut(open(), { journal: memoryJournal(entries, withCall + 2) })).rejects.toThrow("killed");
      const other = watch(open(), { part: "fingerprint", how: () => Promise.resolve("another state") });
      const again = rollOut(other, { journal: memoryJournal(entries) });
      if (world.resume === "restart") await expect(again).resolves.toMatchObject({ trajectory: { numRestarts: 1 } });
      else await expect(again).rejects.toMatchObject({ code: "environment.replay-mismatch" });
      expect(other.numCloses).toEqual([1]);
    });
  });
}

interface Fault {
  readonly part: Part;
  readonly how: () => Promise<never> | Promise<string>;
}

/** The same world, with a fault in one place, counted. It waits, so that its deadlines hold. */
function watch(lawful: LawfulWorld, fault?: Fault): LawfulWorld & { readonly numCloses: number[]; hasBegun(part: Part): boolean } {
  const numCloses: number[] = [];
  const begun = new Set<Part>();
  const through = <Result>(part: Part, action: () => Promise<Result>): Promise<Result> => {
    begun.add(part);
    return fault?.part === part ? (fault.how() as Promise<never>) : action();
  };
  const open: World["open"] = (task, options) =>
    through("open", async () => {
      const episode = await lawful.world.open(task, options);
      const index = numCloses.push(0) - 1;
      return {
        ...episode,
        act: (calls, signal) => through("act", () => episode.act(calls, signal)),
        fingerprint: () => through("fingerprint", () => episode.fingerprint()),
        grade: (conversation, signal) => through("grade", () => episode.grade(conversation, signal)),
        close: () => {
          numCloses[index] = (numCloses[index] ?? 0) + 1;
          return through("close", () => episode.close());
        },
      } satisfies Episode;
    });
  return { ...lawful, world: { ...lawful.world, isInstant: false, open }, numCloses, hasBegun: (part) => begun.has(part) };
}
