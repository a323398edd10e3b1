// The plugin that a module exports, looked at before anything of it is used: what a person writes wrong is told in one sentence.
import { CampaignError } from "#core/errors.ts";
import type { EnvironmentPlugin, PluginConfig } from "../plugin.ts";
import type { LoadedModule } from "./loaded-module.ts";

export type OwnPlugin = Pick<EnvironmentPlugin<PluginConfig>, "id" | "configSchema" | "openTaskSet">;

const SHAPE = "export default { id, configSchema, openTaskSet }, as docs/extending/environment.md shows";

/** Throws environment.failed when the module has no default export, or one that is no plugin. */
export function exportedPlugin({ path, exported }: LoadedModule): OwnPlugin {
  const found = exported["default"];
  const others = Object.keys(exported).filter((name) => name !== "default");
  if (found === undefined) {
    const instead = others.length === 0 ? "it exports nothing" : `it exports ${others.join(", ")}`;
    throw wrong(path, `has no default export (${instead})`);
  }
  if (typeof found !== "object" || found === null) throw wrong(path, `has ${kindOf(found)} as its default export, wanted an object`);
  const { id, configSchema, openTaskSet } = found as Record<string, unknown>;
  if (typeof id !== "string" || id === "") throw wrong(path, `exports a plugin whose id is ${kindOf(id)}, wanted a name`);
  if (!hasMethod(configSchema, "safeParse"))
    throw wrong(path, `exports a plugin whose configSchema is ${kindOf(configSchema)}, wanted a zod schema`);
  if (typeof openTaskSet !== "function")
    throw wrong(path, `exports a plugin whose openTaskSet is ${kindOf(openTaskSet)}, wanted a function`);
  return found as OwnPlugin;
}

/** The settings as the module's schema reads them, defaults filled in. Throws config.invalid with the settings that it refuses. */
export async function parsedSettings(
  module: LoadedModule,
  plugin: OwnPlugin,
  settings: Readonly<Record<string, unknown>>,
): Promise<PluginConfig> {
  const parsed = await module.call("configSchema", () => plugin.configSchema.safeParse({ ...settings, type: plugin.id }));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `environment${path.map((key) => `.${String(key)}`).join("")}: ${message}`,
  );
  throw new CampaignError("config.invalid", `${module.path} refuses its settings: ${problems.join("; ")}`, {
    next: `correct them in the campaign file's environment; ${module.path} says under configSchema what there is`,
  });
}

const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)[name] === "function";

/** What a value is, in a word. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" ? "an object" : `a ${typeof value} (${String(value).split("\n", 1)[0]?.slice(0, 60)})`;
}

export const wrong = (path: string, what: string, next: string = SHAPE): CampaignError =>
  new CampaignError("environment.failed", `${path} ${what}`, { next });
