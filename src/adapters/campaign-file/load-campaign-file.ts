// A campaign file (YAML) with `--set` overrides becomes one complete config, or one error that says where and how to fix it.
import { dirname, relative, resolve } from "node:path";
import type { z } from "zod";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblem, type Problem, problemsOf } from "#core/problems.ts";
import { shortenMiddle } from "#core/text.ts";
import { CampaignFile } from "#environments/registry.ts";
import { REPOSITORY } from "../settings.ts";
import { listProblems, readYamlFile } from "../yaml/yaml-file.ts";
import { parseYaml } from "../yaml/yaml-text.ts";

const EARLIER_FILE =
  "schemaVersion 1 is that of release 0.1.0, which promoted and reported by the same tasks; write schemaVersion: 2, and in place of `evaluation` say `selection: { tasks, trials }` (or null) for what decides and `test: { tasks, trials }` for what is reported";
const CORRECT_FILE = "correct the file; configs/campaigns/quickstart.yaml is a complete example";
const CORRECT_SET = "correct the --set value";
const CAMPAIGN_FILE = { what: "the campaign file", nextWhenMissing: "ls configs/campaigns", next: CORRECT_FILE };

/** Parses and completes a campaign file. `overrides` are `path.to.key=value` with YAML values. Throws config.file-missing, config.invalid. */
export async function loadCampaignFile(path: string, overrides: readonly string[] = []): Promise<CampaignConfig> {
  const file = await readYamlFile(path, CAMPAIGN_FILE);
  const given = file.value;
  if (!isMapping(given)) throw invalid(path, ["a campaign file is a mapping with keys such as name, seed, environment"], CORRECT_FILE);
  const set = overrides.map(parseOverride);
  const value = set.reduce(applyOverride, given);
  if (isMapping(value) && value["schemaVersion"] === 1) throw invalid(path, [EARLIER_FILE], CORRECT_FILE);
  const result = CampaignFile.safeParse(value);
  if (result.success) return withModuleFrom(dirname(resolve(path)), result.data);
  const own = new Set(set.length === 0 ? [] : problemsIn(CampaignFile.safeParse(given).error, given).map(describe));
  const problems = problemsIn(result.error, value).map((problem) => {
    const said = blamed(problem, set, own.has(describe(problem)));
    const line = said.length > 0 ? null : file.lineOf(problem.path);
    return { isOfFile: said.length === 0, text: `${said}${line === null ? "" : `line ${line}: `}${describe(problem)}` };
  });
  const texts = problems.map((problem) => problem.text);
  if (!problems.some(({ isOfFile }) => isOfFile)) throw invalid(null, texts, CORRECT_SET);
  throw invalid(path, texts, problems.every(({ isOfFile }) => isOfFile) ? CORRECT_FILE : `${CORRECT_SET}, and ${CORRECT_FILE}`);
}

/** A module that is named with ./ or ../ lies beside the campaign file; stored is its path from the repository, or an absolute one outside of it. */
function withModuleFrom(folder: string, config: CampaignConfig): CampaignConfig {
  const { type, path } = config.environment;
  if (type !== "module" || typeof path !== "string" || !/^\.\.?\//.test(path)) return config;
  const file = resolve(folder, path);
  const inside = relative(REPOSITORY, file);
  return { ...config, environment: { ...config.environment, path: inside.startsWith("..") ? file : inside } };
}

/** A value with some of what is in it set anew, by `path.to.key=value`. Throws config.invalid. */
export function withOverrides(value: unknown, overrides: readonly string[]): unknown {
  return overrides.map(parseOverride).reduce(applyOverride, value);
}

/** A config with some of its values set anew, by `path.to.key=value`. Throws config.invalid; `hint` says where to see what can be set. */
export function setConfigValues(config: CampaignConfig, overrides: readonly string[], hint: string): CampaignConfig {
  const set = overrides.map(parseOverride);
  const value = set.reduce(applyOverride, config as unknown);
  const result = CampaignFile.safeParse(value);
  if (result.success) return result.data;
  const texts = problemsIn(result.error, value).map((problem) => `${blamed(problem, set, false)}${describe(problem)}`);
  throw invalid(null, texts, `${CORRECT_SET}; ${hint}`);
}

interface Override {
  /** As it was given: `path.to.key=value`. */
  readonly text: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

function parseOverride(text: string): Override {
  const match = /^([A-Za-z][A-Za-z0-9.]*)=(.*)$/s.exec(text);
  const depth = match?.[1]?.split(".").length ?? 0;
  if (match === null || depth > MAX_DEPTH) {
    throw new CampaignError("config.invalid", `--set ${shortenMiddle(text, 200)} is not of the form path.to.key=value`, {
      next: "for example --set rollout.groupSize=4",
    });
  }
  const [, key = "", value = ""] = match;
  return { text, path: key.split("."), value: parseYaml(value, { name: `--set ${text}`, next: QUOTE_VALUE }).value };
}

/** No setting lies deeper by far. */
const MAX_DEPTH = 20;
const QUOTE_VALUE = "give a YAML value; quote text that YAML reads as something else, as in --set 'description=\"*text\"'";

/** The value with this one set; mappings that are not there yet are made. Nothing of the value that was given is changed. */
function applyOverride(value: unknown, override: Override): unknown {
  const setIn = (inner: unknown, depth: number): unknown => {
    const key = override.path[depth];
    if (key === undefined) return override.value;
    if (Array.isArray(inner) && /^\d+$/.test(key) && Number(key) <= inner.length)
      return inner.toSpliced(Number(key), 1, setIn(inner[Number(key)], depth + 1));
    if (inner !== undefined && !isMapping(inner)) {
      const what = `${override.path.join(".")} is below a value that has no keys`;
      throw new CampaignError("config.invalid", `--set ${override.text}: ${what}`, { next: CORRECT_SET });
    }
    const below = inner !== undefined && Object.hasOwn(inner, key) ? inner[key] : undefined;
    return { ...inner, [key]: setIn(below, depth + 1) };
  };
  return setIn(value, 0);
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const problemsIn = (error: z.ZodError | undefined, value: unknown): Problem[] =>
  error === undefined ? [] : problemsOf(error, value, CampaignFile);
const describe = (problem: Problem): string => describeProblem(problem, "the file");

/** The overrides that a problem is due to, as `--set …: `: the last that gave the value, else, where the file alone has no such problem, the nearest. */
function blamed({ path }: Problem, overrides: readonly Override[], isOfFile: boolean): string {
  const shared = ({ path: set }: Override) => {
    const differs = set.findIndex((key, index) => key !== path[index]);
    return differs === -1 ? set.length : differs;
  };
  const giver = overrides.findLast((override) => shared(override) === override.path.length);
  const nearest = Math.max(0, ...overrides.map(shared));
  const found = giver !== undefined ? [giver] : isOfFile ? [] : overrides.filter((override) => shared(override) === nearest);
  return found.length === 0 ? "" : `${found.map(({ text }) => `--set ${text}`).join(" ")}: `;
}

/** `file`: null when it is not to blame. */
function invalid(file: string | null, problems: readonly string[], next: string): CampaignError {
  return new CampaignError("config.invalid", listProblems(file, problems), { next });
}
