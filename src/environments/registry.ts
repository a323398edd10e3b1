// The one list of the environments that campaigns know.
import { z } from "zod";
import { campaignConfigWith, type EnvironmentConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { codeReasoning } from "./code-reasoning/plugin.ts";
import { moduleEnvironment } from "./module/plugin.ts";
import { openEnv } from "./openenv/plugin.ts";
import type { EnvironmentPlugin } from "./plugin.ts";
import { syntheticAirline } from "./synthetic-airline/plugin.ts";
import { taskFile } from "./task-file/plugin.ts";
import { tau2Airline, tauBenchAirline, tauBenchRetail } from "./tau/benchmarks/plugins.ts";

/** Sealed: a plugin outside is only ever given what its own schema has parsed. */
const sealed = <Config extends EnvironmentConfig>(plugin: EnvironmentPlugin<Config>): EnvironmentPlugin<EnvironmentConfig> =>
  plugin as unknown as EnvironmentPlugin<EnvironmentConfig>;

export const ENVIRONMENTS: readonly EnvironmentPlugin<EnvironmentConfig>[] = [
  sealed(syntheticAirline),
  sealed(tauBenchAirline),
  sealed(tauBenchRetail),
  sealed(tau2Airline),
  sealed(taskFile),
  sealed(moduleEnvironment),
  sealed(codeReasoning),
  sealed(openEnv),
];

const schemas = ENVIRONMENTS.map(({ configSchema }) => configSchema) as unknown as [
  z.core.$ZodTypeDiscriminable,
  ...z.core.$ZodTypeDiscriminable[],
];

/** The environment of a campaign file, by its plugin's schema. */
const EnvironmentOfFile = z.discriminatedUnion("type", schemas) as unknown as z.ZodType<EnvironmentConfig>;

/** A campaign file: what `turnwise campaign start` reads. */
export const CampaignFile = campaignConfigWith(EnvironmentOfFile).meta({ id: "CampaignConfig" });

/** The plugin of an environment, and its config as the plugin's schema reads it. Throws config.invalid for an unknown type or setting. */
export function pluginFor(config: EnvironmentConfig): { plugin: EnvironmentPlugin<EnvironmentConfig>; config: EnvironmentConfig } {
  const plugin = ENVIRONMENTS.find(({ id }) => id === config.type);
  if (plugin === undefined) {
    const known = ENVIRONMENTS.map(({ id }) => id).join(", ");
    throw new CampaignError("config.invalid", `unknown environment ${config.type}; there are ${known}`, {
      next: "correct environment.type",
    });
  }
  const parsed = plugin.configSchema.safeParse(config);
  if (parsed.success) return { plugin, config: parsed.data };
  const problems = describeProblems(parsed.error, config, plugin.configSchema, "the environment");
  throw new CampaignError("config.invalid", `environment ${config.type}: ${problems}`, { next: "correct the campaign file's environment" });
}
