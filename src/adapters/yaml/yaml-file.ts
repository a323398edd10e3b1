// A YAML file by its contract.
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { describeProblem, problemsOf } from "#core/problems.ts";
import { utf8Text } from "./utf8-text.ts";
import { parseYaml, type YamlText } from "./yaml-text.ts";

export interface YamlFileKind {
  /** What the file should be: `the campaign file`. */
  readonly what: string;
  /** What to do when it is not there, and when something is wrong with it. */
  readonly nextWhenMissing: string;
  readonly next: string;
}

/** Throws config.file-missing when it cannot be read, config.invalid for what is no UTF-8 or no YAML. */
export async function readYamlFile(path: string, { what, nextWhenMissing, next }: YamlFileKind): Promise<YamlText> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new CampaignError("config.file-missing", `cannot read ${what} ${path}: ${cause.message}`, { cause, next: nextWhenMissing });
  });
  return parseYaml(utf8Text(bytes, path), { name: path, next });
}

/** The file as its contract has it. Throws config.file-missing, and config.invalid with every line that does not fit. */
export async function readYamlAs<Schema extends z.ZodType>(path: string, schema: Schema, kind: YamlFileKind): Promise<z.output<Schema>> {
  const text = await readYamlFile(path, kind);
  const result = schema.safeParse(text.value);
  if (result.success) return result.data;
  const problems = problemsOf(result.error, text.value, schema).map((problem) => {
    const line = text.lineOf(problem.path);
    return `${line === null ? "" : `line ${line}: `}${describeProblem(problem, kind.what)}`;
  });
  throw new CampaignError("config.invalid", listProblems(path, problems), { next: kind.next, cause: result.error });
}

/** One problem in the same line, several below each other. */
export function listProblems(name: string | null, problems: readonly string[]): string {
  if (problems.length === 1) return `${name === null ? "" : `${name}: `}${problems[0]}`;
  return `${name ?? "what --set gives"}:${problems.map((problem) => `\n  - ${problem}`).join("")}`;
}
