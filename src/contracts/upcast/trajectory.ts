// Trajectories of every version, as those of today. Version 1 (0.1.0 to 0.3.0) knew rewards of 0 and 1 only, and 1 was the pass.
import { z } from "zod";
import { Outcome, OutcomeType, StopReason, TokenRow, Trajectory, Turn, Usage } from "../trajectory.ts";
import { olderVersion, upcasting, upcastingBy } from "./upcasting.ts";

/** Frozen: reads what version 1 recorded, and nothing else. */
const StopReason1 = StopReason.exclude(["agent-stop", "error-cap"]);
const Outcome1 = z.strictObject({
  type: OutcomeType,
  reward: z.union([z.literal(0), z.literal(1)]).nullable(),
  stopReason: StopReason1,
  isDatabaseMatch: z.boolean().nullable(),
  detail: z.string().nullable(),
});

/** Frozen, too. */
const Trajectory1 = z.strictObject({
  schemaVersion: z.literal(1),
  taskId: z.string(),
  trial: z.int().nonnegative(),
  environment: z.string(),
  policy: z.strictObject({ name: z.string(), hash: z.string(), format: z.string() }),
  simulator: z.strictObject({ id: z.string(), hash: z.string() }),
  seed: z.string(),
  firstUserMessage: z.string(),
  turns: z.array(Turn),
  rows: z.array(TokenRow),
  outcome: Outcome1,
  usage: Usage,
  simulatorTroubles: z.record(z.string(), z.int().positive()).optional(),
});

/** Whether a reward of version 1 was a pass. */
export const passedIn1 = (reward: 0 | 1): boolean => reward === 1;

function upcastOutcome({ type, reward, ...rest }: z.output<typeof Outcome1>) {
  return { type, reward, passed: reward === null ? null : passedIn1(reward), parts: {}, ...rest };
}

export const StoredTrajectory = upcasting(Trajectory, {
  1: olderVersion(Trajectory1, ({ outcome, ...trajectory }) => ({ ...trajectory, schemaVersion: 2, outcome: upcastOutcome(outcome) })),
});

/** An outcome that stands alone, as exports of earlier releases left it in a benchmark's file. */
export const StoredOutcome = upcastingBy(Outcome, (value) => {
  const older = Outcome1.safeParse(value);
  return older.success ? upcastOutcome(older.data) : value;
});
