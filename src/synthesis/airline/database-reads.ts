// Reading the airline through a reader: profile, trips, flights, and the record that the user's words mean.
import type { Cabin, Reservation, User } from "#environments/tau/airline/records.ts";
import { type DatabaseReader, theLeast, theMost, theOnly } from "../decision.ts";
import { call, type Read } from "../world.ts";
import type { FlightChoice, PaymentName, TripName } from "./wishes.ts";

/** A row of a flight search. */
export interface FlightRow {
  readonly flight_number: string;
  readonly scheduled_departure_time_est: string;
  readonly available_seats: Readonly<Record<Cabin, number>>;
  readonly prices: Readonly<Record<Cabin, number>>;
}

const readUser = (user_id: string): Read => call("get_user_details", { user_id });
const readTrip = (reservation_id: string): Read => call("get_reservation_details", { reservation_id });
const readFlights = (origin: string, destination: string, date: string): Read =>
  call("search_direct_flight", { origin, destination, date });

export const profileOf = (reader: DatabaseReader, userId: string): User => reader.read(readUser(userId)) as unknown as User;
export const tripOf = (reader: DatabaseReader, id: string): Reservation => reader.read(readTrip(id)) as unknown as Reservation;
export const flightsOf = (reader: DatabaseReader, origin: string, destination: string, date: string): readonly FlightRow[] =>
  reader.read(readFlights(origin, destination, date)) as unknown as FlightRow[];

export const paidFor = (trip: Reservation): number => trip.payment_history.reduce((sum, { amount }) => sum + amount, 0);

/** The trip that is meant. A trip named by what sets it apart needs all of the user's trips, one named by airports only itself. */
export function locateTrip(reader: DatabaseReader, userId: string, name: TripName): Reservation {
  if (name.by === "id") return tripOf(reader, name.id);
  const ids = profileOf(reader, userId).reservations;
  if (name.by === "route") return tripOf(reader, theOnly(ids.filter(fits(reader, name)), "trips between these airports"));
  const trips = ids.map((id) => tripOf(reader, id));
  switch (name.by) {
    case "most-paid":
      return theMost(trips, paidFor, "the trip that cost most");
    case "booked-last":
      return theMost(trips, ({ created_at }) => created_at, "the trip that was booked last");
    case "booked-first":
      return theLeast(trips, ({ created_at }) => created_at, "the trip that was booked first");
  }
}

/** Between the two airports, one way or the other: a user who says "from A to B" may mean either end of a round trip. */
const fits =
  (reader: DatabaseReader, { origin, destination }: Extract<TripName, { by: "route" }>) =>
  (id: string): boolean => {
    const trip = reader.peek(readTrip(id)) as unknown as Reservation | null;
    if (trip === null) return false;
    const isBack = trip.origin === destination && trip.destination === origin;
    return isBack || (trip.origin === origin && trip.destination === destination);
  };

/** The payment id that is meant. */
export function locatePayment(reader: DatabaseReader, userId: string, name: PaymentName): string {
  if (name.by === "id") return name.id;
  const methods = Object.values(profileOf(reader, userId).payment_methods);
  return theOnly(
    methods.filter(({ source }) => source === name.source),
    `payment methods of source ${name.source}`,
  ).id;
}

/** The one flight of the choice with seats for the passengers. */
export function chooseFlight(
  reader: DatabaseReader,
  route: { readonly origin: string; readonly destination: string; readonly cabin: Cabin; readonly numPassengers: number },
  { dates, preference }: FlightChoice,
): { readonly flight: FlightRow; readonly date: string } {
  const { origin, destination, cabin, numPassengers } = route;
  const options = dates.flatMap((date) =>
    flightsOf(reader, origin, destination, date)
      .filter(({ available_seats }) => available_seats[cabin] >= numPassengers)
      .map((flight) => ({ flight, date })),
  );
  const departure = ({ flight, date }: (typeof options)[number]) => `${date} ${flight.scheduled_departure_time_est}`;
  switch (preference) {
    case "cheapest":
      return theLeast(options, ({ flight }) => flight.prices[cabin], "the cheapest flight");
    case "latest":
      return theMost(options, departure, "the latest flight");
    case "earliest":
      return theLeast(options, departure, "the earliest flight");
  }
}
