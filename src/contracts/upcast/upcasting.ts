// Reading what an earlier version wrote: the value is brought to the present form first, then parsed like any other.
import { z } from "zod";

/** The contract, also reading older forms. `upcast` gives a value of another form back as it is; the contract then refuses it. */
export function upcasting<Schema extends z.ZodType>(
  schema: Schema,
  upcast: (value: unknown) => unknown,
): z.ZodType<z.output<Schema>, z.input<Schema>> {
  return z.preprocess(upcast, schema) as unknown as z.ZodType<z.output<Schema>, z.input<Schema>>;
}
