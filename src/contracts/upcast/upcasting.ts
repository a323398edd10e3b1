// How a contract reads what earlier releases wrote. A value of an older version is parsed by the schema that wrote it, frozen, and then
// brought up one version at a time; what comes out is parsed by the contract of today. Writers use the contract itself.
import { z } from "zod";

/** What an older version looked like, and what it means in the next one. */
export interface OlderVersion<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** Writes down what the older release did, also where it had no word for it: a default of today never changes what was recorded. */
  readonly upcast: (value: z.output<Schema>) => unknown;
}

/** Keeps the type of the schema and of its upcaster together. */
export function olderVersion<Schema extends z.ZodType>(schema: Schema, upcast: (value: z.output<Schema>) => unknown): OlderVersion {
  return { schema, upcast: upcast as OlderVersion["upcast"] };
}

/** The contract for reading: takes the latest version and every older one, by `schemaVersion`. `older` names them by number. */
export function upcasting<Latest extends z.ZodType>(
  latest: Latest,
  older: Readonly<Record<number, OlderVersion>>,
): z.ZodType<z.output<Latest>> {
  return z.preprocess((given, context) => {
    let value = given;
    for (let step = stepFor(older, value); step !== undefined; step = stepFor(older, value)) {
      const parsed = step.schema.safeParse(value);
      if (!parsed.success) {
        for (const issue of parsed.error.issues)
          context.addIssue({ ...issue, path: [...issue.path], input: value } as Parameters<typeof context.addIssue>[0]);
        return z.NEVER;
      }
      value = step.upcast(parsed.data);
    }
    return value;
  }, latest) as unknown as z.ZodType<z.output<Latest>>;
}

function stepFor(older: Readonly<Record<number, OlderVersion>>, value: unknown): OlderVersion | undefined {
  const isVersioned = typeof value === "object" && value !== null && "schemaVersion" in value && typeof value.schemaVersion === "number";
  return isVersioned ? older[value.schemaVersion as number] : undefined;
}

/** The same where a value says in another way what it is. `upcast` gives what it does not know back; the contract then refuses it. */
export function upcastingBy<Latest extends z.ZodType>(
  latest: Latest,
  upcast: (value: unknown) => unknown,
): z.ZodType<z.output<Latest>, z.input<Latest>> {
  return z.preprocess(upcast, latest) as unknown as z.ZodType<z.output<Latest>, z.input<Latest>>;
}
