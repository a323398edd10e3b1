// The airline tools that only look: records and airports.
import type { Draft } from "../../database.ts";
import { dumps } from "../../python/format.ts";
import { PyDict, type PyValue } from "../../python/values.ts";
import { findRecord } from "../../record-access.ts";
import { AIRPORTS } from "../airports.ts";
import { airlineTool } from "./airline-tool.ts";

export const getUserDetails = airlineTool("get_user_details", ["user_id"], (draft: Draft, userId: PyValue) => {
  return findRecord(draft, "users", userId)?.json ?? "Error: user not found";
});

/** An unknown reservation is answered with the words for an unknown user, as in the benchmark. */
export const getReservationDetails = airlineTool("get_reservation_details", ["reservation_id"], (draft: Draft, reservationId: PyValue) => {
  return findRecord(draft, "reservations", reservationId)?.json ?? "Error: user not found";
});

const AIRPORTS_JSON = dumps(PyDict.from(AIRPORTS));

export const listAllAirports = airlineTool("list_all_airports", [], () => AIRPORTS_JSON);
