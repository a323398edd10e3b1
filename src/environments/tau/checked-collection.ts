import { CampaignError } from "#core/errors.ts";
import { type Collection, collectionFromJson } from "./database.ts";
import { isDict, type PyValue } from "./python/values.ts";

const KINDS = {
  string: (value: PyValue) => typeof value === "string",
  list: (value: PyValue) => Array.isArray(value),
  dict: isDict,
} as const;

/**
 * A collection whose records all have the fields that the tools rely on.
 *
 * throws  CampaignError "environment.data-corrupt" naming the file, the record and the field
 */
export function checkedCollection(file: string, value: PyValue, required: Readonly<Record<string, keyof typeof KINDS>>): Collection {
  const collection = collectionFromJson(value);
  if (collection === null) throw new CampaignError("environment.data-corrupt", `${file} is not an object of records`);
  for (const [id, { fields }] of collection) {
    for (const [field, kind] of Object.entries(required)) {
      if (KINDS[kind](fields.get(field) ?? null)) continue;
      throw new CampaignError("environment.data-corrupt", `${file}: record "${id}" has no field "${field}" of kind ${kind}`);
    }
  }
  return collection;
}
