// Evidence counted a second time, from what a task says and what the database holds: no part of the synthesis is used.
import type { SynthesizedTask, TaskDecision } from "#contracts/task-file.ts";
import type { AirlineRecords, Reservation } from "#environments/tau/airline/records.ts";

/** Names of the reads, with what they are about, as texts; their number is e. */
export function expectedReads(records: AirlineRecords, entry: SynthesizedTask, index: number, words: string): ReadonlySet<string> {
  const decision = entry.decisions[index] as TaskDecision;
  const trips = (records.users.get(entry.task.userId)?.reservations ?? []).map((id) => records.reservations.get(id) as Reservation);
  const [target, named] = tripReads(trips, words);
  const profile =
    /date of birth is in your profile/.test(words) || (/your only (gift|credit) card/.test(words) && decision.type === "write");
  const reads = new Set([...named, ...(profile ? ["profile"] : [])]);
  switch (decision.kind) {
    case "all-passengers":
      return new Set();
    case "bags":
      return decision.rule === "bags-cannot-be-removed" ? new Set() : reads.add("profile");
    case "certificate": {
      const earnsByItself = target?.insurance === "yes" || target?.cabin === "business";
      return earnsByItself ? reads : reads.add("profile");
    }
    case "cabin":
      if (/If the change costs more than/.test(words))
        for (const { flight_number, date } of target?.flights ?? []) reads.add(routeOn(records, flight_number, date));
      return reads;
    case "flight":
      if (target?.cabin !== "basic_economy") for (const day of daysOf(words)) reads.add(`flights ${day}`);
      return reads;
    case "book":
      if (decision.type === "withhold") return new Set();
      for (const day of daysOf(words)) reads.add(`flights ${day}`);
      return reads;
    case "fare":
      return new Set(daysOf(words));
    case "paid":
      if (/all your trips together/.test(words)) return new Set(["profile", ...trips.map(({ reservation_id }) => reservation_id)]);
      return reads;
    default:
      return reads;
  }
}

/** The trip that the words mean, and the reads that finding and reading it takes. */
function tripReads(trips: readonly Reservation[], words: string): [Reservation | undefined, string[]] {
  const byId = trips.find(({ reservation_id }) => words.includes(reservation_id));
  if (byId !== undefined) return [byId, [byId.reservation_id]];
  const [, origin, destination] = /your trip from (\w{3}) to (\w{3})/.exec(words) ?? [];
  const byRoute = trips.find((trip) => trip.origin === origin && trip.destination === destination);
  if (byRoute !== undefined) return [byRoute, ["profile", byRoute.reservation_id]];
  if (!words.includes("the one of all your trips")) return [undefined, []];
  const paid = ({ payment_history }: Reservation) => payment_history.reduce((sum, { amount }) => sum + amount, 0);
  const booked = trips.toSorted((left, right) => left.created_at.localeCompare(right.created_at));
  const dearest = trips.toSorted((left, right) => paid(right) - paid(left))[0];
  const target = words.includes("most recently") ? booked.at(-1) : words.includes("the longest ago") ? booked[0] : dearest;
  return [target, ["profile", ...trips.map(({ reservation_id }) => reservation_id)]];
}

function routeOn(records: AirlineRecords, flightNumber: string, date: string): string {
  const flight = records.flights.get(flightNumber);
  return `${flight?.origin} ${flight?.destination} ${date}`;
}

/** "May 20, 21 or 22" -> three days */
function daysOf(words: string): string[] {
  const [, days = ""] = /on May (\d+(?:, \d+)*(?: or \d+)?)/.exec(words) ?? [];
  return days.match(/\d+/g) ?? [];
}
