// What the record holds, read by its contract: everything that does not fit is contract.invalid, and says where.
import type { z } from "zod";
import { versionOfNewerRelease } from "#contracts/upcast/newer-release.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";

/** `name` is what the value is called in a failure: its name in the record. Throws contract.invalid. */
export function parseContract<Schema extends z.ZodType>(contract: Schema, value: unknown, name: string): z.output<Schema> {
  const result = contract.safeParse(value);
  if (result.success) return result.data;
  const newer = versionOfNewerRelease(value, result.error);
  if (newer !== null) throw writtenByNewer(name, newer, result.error);
  const problems = describeProblems(result.error, value, contract);
  throw new CampaignError("contract.invalid", `${name} does not fit its contract: ${problems}`, { cause: result.error });
}

/** The same of JSON text. Throws store.corrupt when it is none. */
export function parseContractJson<Schema extends z.ZodType>(contract: Schema, bytes: Uint8Array, name: string): z.output<Schema> {
  return parseContract(contract, parseJson(name, bytes), name);
}

function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new CampaignError("store.corrupt", `${name} is not JSON`, { cause: error });
  }
}

function writtenByNewer(name: string, version: number, cause: unknown): CampaignError {
  return new CampaignError("contract.invalid", `${name} was written by a newer release of Turnwise (schema version ${version})`, {
    cause,
    next: "use that release, or a later one: it reads what this one wrote",
  });
}
