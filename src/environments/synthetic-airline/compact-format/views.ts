// Compact views of tool results: the facts an agent needs, each right behind its key, ids as handles. Reads tau-bench's airline
// observations as they are; whatever it does not recognise it shows as text, cut short, and it never throws.

import { startOf } from "#core/text.ts";
import type { FlightDate, Reservation, User } from "../../tau/airline/records.ts";
import { isMadeWithin24Hours } from "../rules.ts";
import type { HandleTable } from "./handles.ts";

const MAX_TEXT = 160;
const MAX_OPTIONS = 8;
const PAYMENT_WORDS: Readonly<Record<string, string>> = { credit_card: "credit", gift_card: "gift", certificate: "cert" };

export type Trip = Pick<Reservation, "reservation_id" | "origin" | "destination" | "cabin" | "flights" | "passengers">;
type FlightOption = { flight_number: string; scheduled_departure_time_est: string; date?: string } & FlightDate;

/** What a view needs to know besides the observation. */
export interface ViewContext {
  readonly handles: HandleTable;
  /** Reservations as last seen, by id; a view of one adds to it. */
  readonly trips: Map<string, Trip>;
}

/** The compact view of one executed call's observation. */
export function viewOf(name: string, args: Readonly<Record<string, unknown>>, observation: string, context: ViewContext): string {
  if (observation.startsWith("Error")) return `error ${plain(observation.replace(/^Error:? ?/, ""), context)}`;
  const value = parseJson(observation);
  try {
    return structured(name, args, value, context) ?? plain(observation, context);
  } catch {
    return plain(observation, context); // a result that only looks like the expected record
  }
}

function structured(name: string, args: Readonly<Record<string, unknown>>, value: unknown, context: ViewContext): string | null {
  switch (name) {
    case "get_user_details":
      return userView(String(args["user_id"]), value as User, context);
    case "get_reservation_details":
      return tripView(value as Reservation, context);
    case "search_direct_flight":
      return optionsView(
        (value as FlightOption[]).map((option) => [option]),
        args,
        context,
      );
    case "search_onestop_flight":
      return optionsView(value as FlightOption[][], args, context);
    case "cancel_reservation":
      return `cancelled ${remember(value as Reservation, context)}`;
    case "book_reservation":
      return `booked ${remember(value as Reservation, context)}`;
    case "update_reservation_flights":
    case "update_reservation_baggages":
    case "update_reservation_passengers":
      return `updated ${remember(value as Reservation, context)}`;
    case "send_certificate":
      return "sent";
    case "transfer_to_human_agents":
      return "transferred";
    case "list_all_airports":
      return "airports known";
    default:
      return null;
  }
}

function userView(userId: string, user: User, { handles }: ViewContext): string {
  const payments = Object.values(user.payment_methods).map(
    ({ source, id }) => `; pay ${PAYMENT_WORDS[source] ?? source} ${handles.allot("p", id)}`,
  );
  const trips = user.reservations.map((id) => handles.allot("r", id));
  return `user ${handles.allot("u", userId)}; member ${user.membership}${payments.join("")}; trips ${trips.join("")}`;
}

function tripView(trip: Reservation, context: ViewContext): string {
  const { handles } = context;
  const flights = trip.flights.map((flight) => handles.allot("f", flightId(flight.flight_number, flight.date)));
  return [
    `trip ${remember(trip, context)}`,
    `from ${handles.allot("a", trip.origin)}`,
    `to ${handles.allot("a", trip.destination)}`,
    `cabin ${cabinWord(trip.cabin)}`,
    `recent ${isMadeWithin24Hours(trip.created_at) ? "yes" : "no"}`,
    `ins ${trip.insurance}`,
    `pax ${trip.passengers.length}`,
    `bags ${trip.total_baggages}`,
    `fly ${flights.join("")}`,
    ...(trip.status === undefined ? [] : [`status ${trip.status}`]),
  ].join("; ");
}

/** Notes the reservation and gives its handle. */
function remember(trip: Reservation, context: ViewContext): string {
  context.trips.set(trip.reservation_id, trip);
  return context.handles.allot("r", trip.reservation_id);
}

/** Itineraries by departure, without those that have too few seats for the trip that is asked for. */
function optionsView(options: readonly (readonly FlightOption[])[], args: Readonly<Record<string, unknown>>, context: ViewContext): string {
  const trip = tripBetween(context.trips, args["origin"], args["destination"]);
  const departure = (option: readonly FlightOption[]): string => option[0]?.scheduled_departure_time_est ?? "";
  const listed = options
    .filter((option) => option.every((flight) => trip === null || hasSeats(flight, trip)))
    .toSorted((left, right) => departure(left).localeCompare(departure(right)))
    .slice(0, MAX_OPTIONS)
    .map((option) =>
      option.map((flight) => context.handles.allot("f", flightId(flight.flight_number, flight.date ?? String(args["date"])))).join(" "),
    );
  if (listed.length === 0) return "flights none";
  if (listed.length === 1) return `flights only ${listed[0]}`;
  const label = (index: number): string => (index === 0 ? "earliest" : index === listed.length - 1 ? "latest" : "then");
  return `flights ${listed.map((handles, index) => `${label(index)} ${handles}`).join("; ")}`;
}

const hasSeats = (flight: FlightOption, trip: Trip): boolean =>
  flight.status === "available" && flight.available_seats[trip.cabin] >= trip.passengers.length;

/** The reservation seen last between two airports, if any. */
export function tripBetween(trips: ReadonlyMap<string, Trip>, origin: unknown, destination: unknown): Trip | null {
  return [...trips.values()].findLast((trip) => trip.origin === origin && trip.destination === destination) ?? null;
}

/** How a handle table knows a flight on a date. */
export const flightId = (number: string, date: string): string => `${number} on ${date}`;

const cabinWord = (cabin: string): string => (cabin === "basic_economy" ? "basic" : cabin);

function plain(text: string, { handles }: ViewContext): string {
  return handles.compress(startOf(text, MAX_TEXT), true);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
