import { CampaignError } from "#core/errors.ts";
import { AirlineDatabase } from "../airline/database.ts";
import { type Collection, DatabaseRecord } from "../database.ts";
import { isDict, PyError, type PyValue } from "../python/values.ts";
import { FLIGHT, RESERVATION, USER } from "./models.ts";
import { construct, type Model } from "./pydantic.ts";

/**
 * tau2-bench's db.json as the benchmark holds it after loading: fields in the models' order, absent statuses as null.
 *
 * throws  CampaignError "environment.data-corrupt" naming the record and what pydantic would say of it
 */
export function tau2AirlineDatabaseFromJson(value: PyValue): AirlineDatabase {
  if (!isDict(value)) throw new CampaignError("environment.data-corrupt", "db.json is not an object of collections");
  const collection = (name: string, model: Model) => loadCollection(name, value.get(name) ?? null, model);
  return new AirlineDatabase({
    flights: collection("flights", FLIGHT),
    reservations: collection("reservations", RESERVATION),
    users: collection("users", USER),
  });
}

function loadCollection(name: string, value: PyValue, model: Model): Collection {
  if (!isDict(value)) throw new CampaignError("environment.data-corrupt", `db.json: ${name} is not an object of records`);
  return new Map(Array.from(value, ([id, fields]) => [id, loadRecord(`${name} "${id}"`, fields, model)]));
}

function loadRecord(place: string, fields: PyValue, model: Model): DatabaseRecord {
  if (!isDict(fields)) throw new CampaignError("environment.data-corrupt", `db.json: ${place} is not an object`);
  try {
    return new DatabaseRecord(construct(model, fields));
  } catch (cause) {
    if (cause instanceof PyError) throw new CampaignError("environment.data-corrupt", `db.json: ${place}: ${cause.message}`, { cause });
    throw cause;
  }
}
