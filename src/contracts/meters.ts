// What work cost, by who did it. Sums of meters are meters.
import { z } from "zod";

const Amount = z.number().nonnegative();

export const Meter = z
  .strictObject({
    calls: z.int().nonnegative(),
    promptTokens: z.int().nonnegative(),
    completionTokens: z.int().nonnegative(),
    usd: Amount.describe("by the config's prices: tokens of endpoints, time of GPUs"),
    gpuSeconds: Amount.describe("GPUs times seconds; 0 on a CPU and for endpoints of others"),
  })
  .meta({ id: "Meter" });
export type Meter = z.infer<typeof Meter>;

export const Party = z.enum(["policy", "user", "proposer", "trainer"]);
export type Party = z.infer<typeof Party>;

export const Meters = z
  .strictObject({
    policy: Meter.describe("the policy that is trained, in rollouts"),
    user: Meter.describe("the simulated user's model"),
    proposer: Meter.describe("the model that proposes reward tables"),
    trainer: Meter.describe("optimizer steps; has GPU seconds only"),
  })
  .meta({ id: "Meters" });
export type Meters = z.infer<typeof Meters>;
