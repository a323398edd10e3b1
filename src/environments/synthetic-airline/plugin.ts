// The built-in airline as an environment of campaigns. Nothing is read: the seed is the data.
import { z } from "zod";
import { SplitScheme } from "#contracts/campaign-config.ts";
import { goldenTaskSet } from "../golden-task-set.ts";
import type { EnvironmentPlugin } from "../plugin.ts";
import { loadSyntheticAirline } from "./airline.ts";
import { compactFormat } from "./compact-format/compact.ts";

const SyntheticAirlineConfig = z.strictObject({
  type: z.literal("synthetic-airline"),
  seed: z.int().nonnegative().default(1).describe("seed of users, flights, reservations and tasks"),
  splits: SplitScheme,
});

export const syntheticAirline: EnvironmentPlugin<z.infer<typeof SyntheticAirlineConfig>> = {
  id: "synthetic-airline",
  configSchema: SyntheticAirlineConfig,
  openTaskSet: async (config) => goldenTaskSet(loadSyntheticAirline(config.seed), config, { compact: compactFormat }),
  async wholeTaskSets() {
    const { environment, splits } = loadSyntheticAirline(1);
    return [{ name: "synthetic-airline", environment, tasks: Object.values(splits).flat() }];
  },
};
