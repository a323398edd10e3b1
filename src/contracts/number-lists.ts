// Lists of thousands of numbers (token ids, log-probabilities). zod looks at every element as at a contract of its own, which took a quarter
// of the CPU of a rollout with long prompts. A loop says in microseconds that a list is right; what it does not pass, zod looks at and words.
import { z } from "zod";

type NumberList = z.ZodArray<z.ZodNumber>;

/** Token ids: integers from 0. Parsed without being copied. */
export const tokenIdList = (description?: string): NumberList =>
  byLoop(described(z.array(z.int().nonnegative()), description), (value) => Number.isSafeInteger(value) && (value as number) >= 0);

/** Log-probabilities in nats: finite numbers. Parsed without being copied. */
export const logprobList = (description?: string): NumberList => byLoop(described(z.array(z.number()), description), Number.isFinite);

const described = (schema: NumberList, description: string | undefined): NumberList =>
  description === undefined ? schema : schema.describe(description);

/** The same schema, which lets lists of nothing but valid elements pass as they are. Describe it before: zod copies what it describes. */
function byLoop(schema: NumberList, isValid: (value: unknown) => boolean): NumberList {
  const { run } = schema._zod;
  schema._zod.run = (payload, context) =>
    Array.isArray(payload.value) && areAll(payload.value, isValid) ? payload : run(payload, context);
  return schema;
}

/** Holes among them, which `every` passes over. */
function areAll(values: readonly unknown[], isValid: (value: unknown) => boolean): boolean {
  for (const value of values) if (!isValid(value)) return false;
  return true;
}
