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
  if (syntaxError !== undefined) throw invalid(path, [`not valid YAML: ${syntaxError.message}`]);
  if (!isMap(document.contents)) throw invalid(path, ["a campaign file is a mapping with keys such as name, seed, environment"]);
  for (const override of overrides) applyOverride(document, override);
  if (document.get("schemaVersion") === 1) throw invalid(path, [EARLIER_FILE]);
  const result = CampaignConfig.safeParse(document.toJS());
  if (result.success) return result.data;
  throw invalid(
    path,
    result.error.issues.map((issue) => describe(issue, document, lines)),
  );
}

/** A config with some of its values set anew, by `path.to.key=value`. Throws config.invalid, with `next` for what is wrong with a value. */
export function setConfigValues(config: CampaignConfig, overrides: readonly string[], next: string): CampaignConfig {
  const document = new Document(config);
  for (const override of overrides) applyOverride(document, override);
  const result = CampaignConfig.safeParse(document.toJS());
  if (result.success) return result.data;
  throw invalid(
    "--set",
    result.error.issues.map((issue) => describeProblem(issue)),
    next,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CampaignError("config.file-missing", `cannot read the campaign file ${path}`, { cause, next: "ls configs/campaigns" });
  }
}

function applyOverride(document: Document, override: string): void {
  const match = /^([A-Za-z][A-Za-z0-9.]*)=(.*)$/s.exec(override);
  if (match === null) {
    throw new CampaignError("config.invalid", `--set ${override} is not of the form path.to.key=value`, {
      next: "for example --set rollout.groupSize=4",
    });
  }
  const [, path = "", value = ""] = match;
  const parsed = parseDocument(value);
  if (parsed.errors.length > 0)
    throw new CampaignError("config.invalid", `--set ${path}: ${value} is not a YAML value`, { next: "quote the value" });
  try {
    document.setIn(path.split("."), parsed.toJS());
  } catch (cause) {
    throw new CampaignError("config.invalid", `--set ${override}: ${path} is below a value that has no keys`, { cause });
  }
}

/** One line per problem: where in the file, what is wrong, what is allowed. */
function describe(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): string {
  const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
  const line = lineOf(document, lines, [...issue.path.map(String), ...unknown.slice(0, 1)]);
  return `${line === null ? "" : `line ${line}: `}${describeProblem(issue)}`;
}

function describeProblem(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return `unknown key ${issue.keys.map((key) => [...path, key].join(".")).join(", ")}`;
  return `${path.join(".") || "the file"}: ${issue.message}`;
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

function invalid(path: string, problems: readonly string[], next = CORRECT_FILE): CampaignError {
  const list = problems.length === 1 ? ` ${problems[0]}` : `\n${problems.map((problem) => `  - ${problem}`).join("\n")}`;
  return new CampaignError("config.invalid", `${path}:${list}`, {
    next,
  });
}
