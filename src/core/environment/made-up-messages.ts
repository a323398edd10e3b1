// Messages of an agent that nobody plays: calls by the tools' schemas, for trying a world without a model.
import type { Task } from "#contracts/task.ts";
import { type Random, randomFrom } from "../random-source.ts";
import type { EnvironmentCall } from "./environment.ts";
import type { World } from "./episode.ts";
import { executedCalls } from "./protocol.ts";

/** Its golden actions, each tool with arguments of its schema, arguments that are no JSON, and a tool that there is not; what ends the conversation comes last. By message the calls that are executed. */
export function madeUpMessages(world: World, task: Task, seed: number): EnvironmentCall[][] {
  const random = randomFrom("made-up-messages", seed, task.id);
  const { tools, protocol } = world;
  const made = tools.map(({ function: { name, parameters } }) => ({
    name,
    argumentsJson: JSON.stringify(sampleArguments(parameters, random)),
  }));
  const isLast = ({ name }: EnvironmentCall) => protocol.terminalTools.includes(name);
  const golden = (task.goldenActions ?? []).map(({ name, argumentsJson }) => ({ name, argumentsJson }));
  const open = [...golden, ...made].filter((call) => !isLast(call));
  const malformed = tools.slice(0, 1).map(({ function: { name } }) => ({ name, argumentsJson: "{not json" }));
  const unknown = [{ name: "no_such_tool", argumentsJson: "{}" }];
  const messages = [
    ...open.map((call) => [call]),
    open,
    malformed.filter((call) => !isLast(call)),
    unknown,
    ...made
      .filter(isLast)
      .slice(0, 1)
      .map((call) => [call]),
  ];
  return messages.map((calls) => [...executedCalls(protocol, calls)]).filter((calls) => calls.length > 0);
}

type Schema = Readonly<Record<string, unknown>>;

const DEEPEST = 6;

/** A value of the schema as far as types, choices and required properties say; what it does not say is a short text. */
function sampleArguments(schema: Schema, random: Random, depth = 0): unknown {
  if ("const" in schema) return schema["const"];
  const choices = listOf(schema["enum"]);
  if (choices.length > 0) return random.pick(choices);
  const alternatives = listOf(schema["anyOf"] ?? schema["oneOf"]).filter(isSchema);
  if (alternatives.length > 0) return sampleArguments(random.pick(alternatives), random, depth + 1);
  const { type } = schema;
  return (
    SAMPLES[String(Array.isArray(type) ? type[0] : (type ?? (isSchema(schema["properties"]) ? "object" : "string")))]?.(
      schema,
      random,
      depth,
    ) ?? null
  );
}

const SAMPLES: Readonly<Record<string, (schema: Schema, random: Random, depth: number) => unknown>> = {
  string: (_schema, random) => random.pick(["a", "7", "some words"]),
  integer: (schema, random) => within(schema, random.int(0, 9)),
  number: (schema, random) => within(schema, random.int(0, 18) / 2),
  boolean: (_schema, random) => random.chance(0.5),
  array: (schema, random, depth) =>
    isSchema(schema["items"]) && depth < DEEPEST ? [sampleArguments(schema["items"], random, depth + 1)] : [],
  object: (schema, random, depth) => {
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
    const required = listOf(schema["required"]);
    const named = Object.entries(properties).filter(
      ([name, value]) => isSchema(value) && (required.includes(name) || (depth < DEEPEST && random.chance(0.5))),
    );
    return Object.fromEntries(named.map(([name, value]) => [name, sampleArguments(value as Schema, random, depth + 1)]));
  },
};

function within({ minimum, maximum }: Schema, value: number): number {
  const low = typeof minimum === "number" ? Math.max(minimum, value) : value;
  return typeof maximum === "number" ? Math.min(maximum, low) : low;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null && !Array.isArray(value);
