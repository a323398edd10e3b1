// tau2-bench's airline tools that change nothing.
import { AIRPORTS } from "../../airline/airports.ts";
import { evaluateText, hasOnlyAllowed } from "../../calculate/calculate.ts";
import type { Draft } from "../../database.ts";
import { dumps, str } from "../../python/format.ts";
import { getItem } from "../../python/operations.ts";
import { dict, type PyValue } from "../../python/values.ts";
import { findFlightDate, findReservation, findUser } from "./records.ts";
import { tau2Tool, valueError } from "./tau2-tool.ts";

export const calculate = tau2Tool("calculate", ["expression"], (_draft: Draft, expression: PyValue) => {
  if (!hasOnlyAllowed(expression)) throw valueError("Invalid characters in expression");
  return evaluateText(expression);
});

export const getReservationDetails = tau2Tool(
  "get_reservation_details",
  ["reservation_id"],
  (draft: Draft, id: PyValue) => findReservation(draft, id).json,
);

export const getUserDetails = tau2Tool("get_user_details", ["user_id"], (draft: Draft, id: PyValue) => findUser(draft, id).json);

const AIRPORTS_JSON = dumps(AIRPORTS.map(([iata, city]) => dict(["iata", iata], ["city", city])));

export const listAllAirports = tau2Tool("list_all_airports", [], () => AIRPORTS_JSON);

export const getFlightStatus = tau2Tool(
  "get_flight_status",
  ["flight_number", "date"],
  (draft: Draft, flightNumber: PyValue, date: PyValue) => {
    return str(getItem(findFlightDate(draft, flightNumber, date), "status"));
  },
);

export const transferToHumanAgents = tau2Tool("transfer_to_human_agents", ["summary"], () => "Transfer successful");
