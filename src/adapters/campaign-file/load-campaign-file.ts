// A campaign file (YAML) with `--set` overrides becomes one complete config, or one error that says where and how to fix it.
import { readFile } from "node:fs/promises";
import { Document, isMap, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";

const EARLIER_FILE =
  "schemaVersion 1 is that of release 0.1.0, which promoted and reported by the same tasks; write schemaVersion: 2, and in place of `evaluation` say `selection: { tasks, trials }` (or null) for what decides and `test: { tasks, trials }` for what is reported";

/** Parses and completes a campaign file. `overrides` are `path.to.key=value` with YAML values. Throws config.file-missing, config.invalid. */
export async function loadCampaignFile(path: string, overrides: readonly string[] = []): Promise<CampaignConfig> {
  const text = await readText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [syntaxError] = document.errors;
  if (syntaxError !== undefined) throw invalid(path, [`not valid YAML: ${syntaxError.message}`], CORRECT_FILE);
  if (!isMap(document.contents))
    throw invalid(path, ["a campaign file is a mapping with keys such as name, seed, environment"], CORRECT_FILE);
  const given: unknown = document.toJS();
  const set = overrides.map((override) => applyOverride(document, override));
  if (document.get("schemaVersion") === 1) throw invalid(path, [EARLIER_FILE], CORRECT_FILE);
  const result = CampaignConfig.safeParse(document.toJS());
  if (result.success) return result.data;
  const own = new Set(set.length === 0 ? [] : problemsOf(CampaignConfig.safeParse(given).error).map(describe));
  const problems = problemsOf(result.error).map((problem) => {
    const said = blamed(problem, set, own.has(describe(problem)));
    const line = said.length > 0 ? null : lineOf(document, lines, problem.path);
    return { isOfFile: said.length === 0, text: `${said}${line === null ? "" : `line ${line}: `}${describe(problem)}` };
  });
  const texts = problems.map((problem) => problem.text);
  if (!problems.some(({ isOfFile }) => isOfFile)) throw invalid(null, texts, CORRECT_SET);
  throw invalid(path, texts, problems.every(({ isOfFile }) => isOfFile) ? CORRECT_FILE : `${CORRECT_SET}, and ${CORRECT_FILE}`);
}

/** A config with some of its values set anew, by `path.to.key=value`. Throws config.invalid; `hint` says where to see what can be set. */
export function setConfigValues(config: CampaignConfig, overrides: readonly string[], hint: string): CampaignConfig {
  const document = new Document(config);
  const set = overrides.map((override) => applyOverride(document, override));
  const result = CampaignConfig.safeParse(document.toJS());
  if (result.success) return result.data;
  const texts = problemsOf(result.error).map((problem) => `${blamed(problem, set, false)}${describe(problem)}`);
  throw invalid(null, texts, `${CORRECT_SET}; ${hint}`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CampaignError("config.file-missing", `cannot read the campaign file ${path}`, { cause, next: "ls configs/campaigns" });
  }
}

interface Override {
  /** As it was given: `path.to.key=value`. */
  readonly text: string;
  readonly path: readonly string[];
}

function applyOverride(document: Document, override: string): Override {
  const match = /^([A-Za-z][A-Za-z0-9.]*)=(.*)$/s.exec(override);
  if (match === null) {
    throw new CampaignError("config.invalid", `--set ${override} is not of the form path.to.key=value`, {
      next: "for example --set rollout.groupSize=4",
    });
  }
  const [, key = "", value = ""] = match;
  const path = key.split(".");
  const parsed = parseDocument(value);
  if (parsed.errors.length > 0)
    throw new CampaignError("config.invalid", `--set ${override}: ${value} is not a YAML value`, { next: "quote the value" });
  try {
    document.setIn(path, parsed.toJS());
  } catch (cause) {
    throw new CampaignError("config.invalid", `--set ${override}: ${key} is below a value that has no keys`, { cause, next: CORRECT_SET });
  }
  return { text: override, path };
}

interface Problem {
  /** Of the value that is wrong, or of the key that is unknown. */
  readonly path: readonly string[];
  readonly what: string | null;
}

/** Every unknown key is a problem of its own. */
function problemsOf(error: z.ZodError | undefined): Problem[] {
  return (error?.issues ?? []).flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: [...path, key], what: null }));
    return [{ path, what: inOurWords(issue.message) }];
  });
}

const describe = ({ path, what }: Problem): string =>
  what === null ? `unknown key ${path.join(".")}` : `${path.join(".") || "the file"}: ${what}`;

/** The schema's own messages are kept, the library's are made plain. */
function inOurWords(message: string): string {
  if (message.endsWith("received undefined")) return "it is missing";
  return message
    .replace(/^[A-Z][a-z ]+(: expected |\. Expected )/, (_, verb: string) => (verb.startsWith(".") ? "wanted one of " : "wanted "))
    .replace(/^(wanted \w+) to (be|have) /, (_, start: string, verb: string) => `${start} ${verb === "be" ? "" : "with "}`)
    .replace(/, received (\w+)$/, ", got $1");
}

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

/** The line of the nearest node of the file on this path. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range))
      return lines.linePos(node.range[0] as number).line;
  }
  return null;
}

const CORRECT_FILE = "correct the file; configs/campaigns/quickstart.yaml is a complete example";
const CORRECT_SET = "correct the --set value";

/** `file`: null when it is not to blame. */
function invalid(file: string | null, problems: readonly string[], next: string): CampaignError {
  const [first] = problems;
  const list = problems.map((problem) => `\n  - ${problem}`).join("");
  const message = problems.length === 1 ? `${file === null ? "" : `${file}: `}${first}` : `${file ?? "what --set gives"}:${list}`;
  return new CampaignError("config.invalid", message, { next });
}
