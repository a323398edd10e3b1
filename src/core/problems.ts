// What a schema finds wrong with a value, in plain words: where, what is allowed, what was there instead. One wording for campaign files,
// `--set`, options, tables, rollouts of other people and the record.
import type { z } from "zod";
import { keysAt, nearest } from "./schema-keys.ts";
import { shorten } from "./text.ts";

type Issue = z.core.$ZodIssue;
type Union = Extract<Issue, { code: "invalid_union" }>;

export interface Problem {
  /** Of the value that is wrong, or of the key that is unknown. */
  readonly path: readonly string[];
  /** `wanted 0, 1 or null, got "1"`; of an unknown key null, or the key that was meant. */
  readonly what: string;
  readonly isUnknownKey: boolean;
}

/** Problems that are written out in one message; of more the number. */
const MAX_SHOWN = 8;
const MAX_RECEIVED = 60;

/** Every problem, each unknown key as one of its own. `value` is what was parsed, `schema` by what: with it unknown keys get a proposal. */
export function problemsOf({ issues }: z.ZodError, value: unknown, schema?: z.ZodType): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue as Issue, value, schema));
}

/** `outcome: wanted 0, 1, true, false or null, got "1"; unknown key reward`. `root` is what the whole value is called. */
export function describeProblems(error: z.ZodError, value: unknown, schema?: z.ZodType, root = "the value"): string {
  const alike = [...Map.groupBy(problemsOf(error, value, schema), ({ what, isUnknownKey }) => `${isUnknownKey} ${what}`).values()];
  const rest = alike.slice(MAX_SHOWN).reduce((total, { length }) => total + length, 0);
  const shown = alike.slice(0, MAX_SHOWN).map((problems) => describeAlike(problems, root));
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}

/** What is wrong in the same way at several places is said once. */
function describeAlike(problems: readonly Problem[], root: string): string {
  const [first, ...others] = problems as readonly [Problem, ...Problem[]];
  if (others.length === 0) return describeProblem(first, root);
  if (!first.isUnknownKey)
    return `${describeProblem(first, root)} (and so at ${others.length} more ${others.length === 1 ? "place" : "places"})`;
  const names = problems.map(({ path }) => path.join("."));
  const shown = names.length > MAX_SHOWN ? [...names.slice(0, MAX_SHOWN), `${names.length - MAX_SHOWN} more`] : names;
  return `unknown keys ${shown.join(", ")}${first.what}`;
}

/** `splits.0.tier: it is missing`, or `unknown key rollout.groupsize, did you mean groupSize?` */
export function describeProblem({ path, what, isUnknownKey }: Problem, root = "the value"): string {
  return isUnknownKey ? `unknown key ${path.join(".")}${what}` : `${path.join(".") || root}: ${what}`;
}

function problemsOfIssue(issue: Issue, value: unknown, schema: z.ZodType | undefined): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = schema === undefined ? [] : keysAt(schema, issue.path, value);
    return issue.keys.map((key) => ({ path: [...path, key], what: proposal(key, known), isUnknownKey: true }));
  }
  if (issue.code === "invalid_union" && issue.discriminator === undefined) return problemsOfUnion(issue, value, schema);
  return [{ path, what: describeIssue(issue, valueAt(value, issue.path)), isUnknownKey: false }];
}

function proposal(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== null) return `, did you mean ${meant}?`;
  return known.length === 0 ? "" : `; there are ${known.join(", ")}`;
}

/**
 * Of a union the alternative that the value comes nearest to: the one of its shape with the fewest problems. A value that has the shape of
 * none is told what all of them take.
 */
function problemsOfUnion(union: Union, value: unknown, schema: z.ZodType | undefined): Problem[] {
  const at = union.path;
  const alternatives = union.errors.map((issues) => issues.map((issue) => ({ ...issue, path: [...at, ...issue.path] }) as Issue));
  const ofShape = alternatives.filter((issues) => !issues.some((issue) => issue.path.length === at.length && isOfOtherShape(issue)));
  if (ofShape.length === 0) {
    const allowed = new Set(alternatives.flatMap((issues) => issues.flatMap(expectations)));
    return [{ path: at.map(String), what: wanted([...allowed], valueAt(value, at)), isUnknownKey: false }];
  }
  const fewest = Math.min(...ofShape.map(({ length }) => length));
  const [best = [], ...others] = ofShape
    .filter(({ length }) => length === fewest)
    .map((issues) => issues.flatMap((issue) => problemsOfIssue(issue, value, schema)));
  if (others.length === 0) return best;
  const said = new Set([best, ...others].map((problems) => problems.map((problem) => describeProblem(problem)).join(", ")));
  return said.size === 1 ? best : [{ path: at.map(String), what: `either ${[...said].join(", or ")}`, isUnknownKey: false }];
}

const isOfOtherShape = ({ code }: Issue): boolean => ["invalid_type", "invalid_value", "invalid_union"].includes(code);

/** The schema's own messages are kept, the library's are made plain. */
function describeIssue(issue: Issue, received: unknown): string {
  if (isOurs(issue) || issue.code === "custom") return issue.message;
  if (issue.code === "invalid_key") return `the key ${JSON.stringify(String(issue.path.at(-1)))}: ${keyProblem(issue.issues as Issue[])}`;
  return wanted(expectations(issue), received !== undefined && isSecret(issue.path) ? HIDDEN : received);
}

const isOurs = ({ message }: Issue): boolean => !/^(Invalid|Unrecognized)\b|^Too (small|big):/.test(message);

const keyProblem = (issues: readonly Issue[]): string => `wanted ${choice(issues.flatMap(expectations))}`;

function wanted(allowed: readonly string[], received: unknown): string {
  if (received === undefined) return `it is missing, wanted ${choice(allowed)}`;
  return `wanted ${choice(allowed)}${received === HIDDEN ? "" : `, got ${describeReceived(received)}`}`;
}

/** A key that was pasted where its variable's name belongs is not repeated into a log. */
const HIDDEN = Symbol("hidden");
const isSecret = (path: readonly PropertyKey[]): boolean => /api_?key|secret|password|authorization/i.test(String(path.at(-1)));

function choice(allowed: readonly string[]): string {
  return allowed.length < 2 ? (allowed[0] ?? "another value") : `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`;
}

/** What an issue says would have been right, as phrases that follow `wanted`. */
function expectations(issue: Issue): string[] {
  switch (issue.code) {
    case "invalid_type":
      return isOurs(issue) ? [issue.message] : (TYPES[issue.expected] ?? [issue.expected]);
    case "invalid_value":
      return issue.values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value)));
    case "invalid_union":
      return issue.discriminator === undefined
        ? issue.errors.flatMap((issues) => issues.flatMap((inner) => expectations(inner as Issue)))
        : (("options" in issue ? issue.options : undefined) ?? []).map((option) => JSON.stringify(option));
    case "too_small":
      return [limit(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)];
    case "too_big":
      return [limit(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)];
    case "invalid_format":
      return [FORMATS[issue.format] ?? (issue.pattern === undefined ? `a valid ${issue.format}` : `text like ${issue.pattern}`)];
    case "not_multiple_of":
      return [`a multiple of ${issue.divisor}`];
    default:
      return [issue.message];
  }
}

const TYPES: Readonly<Record<string, string[]>> = {
  string: ["text"],
  number: ["a number"],
  int: ["a whole number"],
  boolean: ["true", "false"],
  null: ["null"],
  array: ["a list"],
  tuple: ["a list"],
  object: ["an object"],
  record: ["an object"],
};

const FORMATS: Readonly<Record<string, string>> = { url: "an http or https URL", datetime: "a time as 2026-03-04T17:05:00Z" };

function limit(origin: string, relation: string, bound: number | bigint): string {
  if (origin === "string") return `${relation} ${bound} ${Number(bound) === 1 ? "character" : "characters"}`;
  if (origin === "array") return `${relation} ${bound} ${Number(bound) === 1 ? "item" : "items"}`;
  return `a number ${{ "more than": "above", "less than": "below" }[relation] ?? `of ${relation}`} ${bound}`;
}

function describeReceived(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value, MAX_RECEIVED));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Below text that the schema takes apart (`100,200`) it is the text that is wrong. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof inner === "string") return inner;
    return typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
  }, value);
}
