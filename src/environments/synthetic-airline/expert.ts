// The expert: a scripted agent that follows the airline's policy and says why, fact by fact, in words a small model can copy. With a
// slip rate it has habits: per wish, with that probability, one thing done wrong that a trained policy can unlearn.
import type { GoldenTask } from "#contracts/task.ts";
import type { Random } from "#core/random-source.ts";
import type { Wish } from "#simulators/agenda.ts";
import { agendaOf } from "#simulators/scripted.ts";
import type { AirlineRecords, Reservation, User } from "../tau/airline/records.ts";
import type { AgentMove, AgentScript } from "./play-script.ts";
import { CERTIFICATE_PER_PASSENGER, freeBagsEach, isMadeWithin24Hours, mayCancel, mayCompensate } from "./rules.ts";
import { bagsAfter, flightOptions } from "./wishes.ts";

type Slip = "first-trip" | "verdict" | "allowance" | "guessed-payment" | "other-flight" | "one-passenger" | null;

interface Context {
  readonly records: AirlineRecords;
  readonly user: User;
  readonly userId: string;
  readonly random: Random;
  readonly slipRate: number;
  /** Reservations read so far, in this conversation. */
  readonly read: Set<string>;
}

const say = (content: string): AgentMove => ({ type: "say", content });
const call = (name: string, args: Readonly<Record<string, unknown>>): AgentMove => ({
  type: "call",
  name,
  argumentsJson: JSON.stringify(args),
});

const NOT_ALLOWED = "not allowed. sorry.";
const REFUSED_AGAIN = "sorry, that is not allowed.";

/** The expert's side of a conversation about a generated task. `slipRate` 0: every task passes. */
export function* expertScript(task: GoldenTask, records: AirlineRecords, random: Random, slipRate: number): AgentScript {
  const { opensWithUserId, wishes } = agendaOf(task);
  const context: Context = {
    records,
    user: records.users.get(task.userId) as User,
    userId: task.userId,
    random,
    slipRate,
    read: new Set(),
  };
  if (!opensWithUserId) yield say("may i have your user id?");
  yield call("get_user_details", { user_id: task.userId });
  for (const wish of wishes) yield* fulfil(wish, context);
}

function* fulfil(wish: Wish, context: Context): AgentScript {
  const slip = slipFor(wish, context);
  const trip = yield* findTrip(wish, context, slip);
  switch (wish.kind) {
    case "cancel":
      return yield* cancel(wish, trip, slip);
    case "bags":
      return yield* addBags(wish, trip, context, slip);
    case "cabin":
      return yield* changeCabin(wish, trip, context, slip);
    case "flight":
      return yield* moveFlight(wish, trip, context, slip);
    default:
      return yield* compensate(wish, trip, context, slip);
  }
}

/** Reads reservations in the profile's order up to the one the user means. */
function* findTrip(wish: Wish, { user, records, read }: Context, slip: Slip): Generator<AgentMove, Reservation, string> {
  const target = wish.trip?.id ?? "";
  const upTo = user.reservations.slice(0, user.reservations.indexOf(target) + 1);
  const looksAt = wish.trip?.isKnownById === true ? [target] : slip === "first-trip" ? upTo.slice(0, 1) : upTo;
  for (const id of read.has(target) && slip !== "first-trip" ? [] : looksAt.filter((id) => !read.has(id))) {
    read.add(id);
    yield call("get_reservation_details", { reservation_id: id });
  }
  return records.reservations.get(looksAt.at(-1) ?? target) as Reservation;
}

/** Draws a habit that makes a difference for this wish, or none. */
function slipFor(wish: Wish, context: Context): Slip {
  if (!context.random.chance(context.slipRate)) return null;
  const { user, records } = context;
  const trip = records.reservations.get(wish.trip?.id ?? "") as Reservation;
  const isFirst = user.reservations[0] === trip.reservation_id;
  const slips: Slip[] = ["verdict"];
  if (wish.trip?.isKnownById === false && !isFirst && !context.read.has(trip.reservation_id)) slips.push("first-trip");
  if (wish.kind === "bags") slips.push("allowance");
  if (wish.payment !== null && firstPayment(user).source !== wish.payment) slips.push("guessed-payment");
  if (wish.kind === "flight") slips.push("other-flight");
  if (wish.kind === "certificate" && trip.passengers.length > 1) slips.push("one-passenger");
  return context.random.pick(slips);
}

const paymentMethods = (user: User) => Object.values(user.payment_methods).filter(({ source }) => source !== "certificate");
const firstPayment = (user: User) => paymentMethods(user)[0] as { source: string; id: string };

const heading = (trip: Reservation): string => `trip ${trip.reservation_id}`;
const cabinOf = (trip: Reservation): string => `cabin ${cabinWord(trip.cabin)}`;
const cabinWord = (cabin: string): string => (cabin === "basic_economy" ? "basic" : cabin);
const REASON_WORDS = { "change of plan": "plan", health: "health", weather: "weather" } as const;
const PAYMENT_WORDS: Readonly<Record<string, string>> = { credit_card: "credit", gift_card: "gift" };

function* cancel(wish: Wish, trip: Reservation, slip: Slip): AgentScript {
  const reason = wish.reason ?? "change of plan";
  yield say("what is the reason?");
  const facts = `${heading(trip)}; recent ${isMadeWithin24Hours(trip.created_at) ? "yes" : "no"}; ${cabinOf(trip)}; ins ${trip.insurance}; reason ${REASON_WORDS[reason]}`;
  if (!verdict(mayCancel(trip, reason), slip)) return yield* refuse(facts, wish);
  yield* proposeAndDo(`${facts}; allowed. shall i cancel it?`, wish, call("cancel_reservation", { reservation_id: trip.reservation_id }));
}

function* addBags(wish: Wish, trip: Reservation, context: Context, slip: Slip): AgentScript {
  const added = wish.bags ?? 0;
  if (!verdict(added > 0, slip)) return yield* refuse(`${heading(trip)}; ${added < 0 ? "remove" : "add"} ${Math.abs(added)}`, wish);
  const [payment, payment_id] = yield* choosePayment(wish, context, slip);
  const { membership } = context.user;
  const each = freeBagsEach(membership, trip.cabin);
  const { total, nonfree } = bagsAfter(context.user, trip, added);
  const extra = slip !== "allowance" ? nonfree : nonfree === 0 ? Math.max(1, added) : 0;
  yield* proposeAndDo(
    `${heading(trip)}; member ${membership}; ${cabinOf(trip)}; each ${each}; pax ${trip.passengers.length}; free ${each * trip.passengers.length}; ` +
      `bags ${trip.total_baggages}; add ${added}; total ${total}; extra ${extra}; ${payment}. shall i add it?`,
    wish,
    call("update_reservation_baggages", {
      reservation_id: trip.reservation_id,
      total_baggages: total,
      nonfree_baggages: extra,
      payment_id,
    }),
  );
}

function* changeCabin(wish: Wish, trip: Reservation, context: Context, slip: Slip): AgentScript {
  if (!verdict(!wish.isOneSegmentOnly, slip)) return yield* refuse(`${heading(trip)}; only one flight`, wish);
  const [payment, payment_id] = yield* choosePayment(wish, context, slip);
  const flights = trip.flights.map(({ flight_number, date }) => ({ flight_number, date }));
  yield* proposeAndDo(
    `${heading(trip)}; ${cabinOf(trip)}; new ${cabinWord(wish.cabin ?? "")}; ${payment}. shall i change it?`,
    wish,
    call("update_reservation_flights", { reservation_id: trip.reservation_id, cabin: wish.cabin, flights, payment_id }),
  );
}

function* moveFlight(wish: Wish, trip: Reservation, context: Context, slip: Slip): AgentScript {
  const { date, time } = wish;
  if (!verdict(trip.cabin !== "basic_economy", slip)) return yield* refuse(`${heading(trip)}; ${cabinOf(trip)}`, wish);
  yield call("search_direct_flight", { origin: trip.origin, destination: trip.destination, date });
  const options = flightOptions(context.records, trip, date ?? "");
  const wantsEarliest = (time === "earliest") !== (slip === "other-flight");
  const flight_number = wantsEarliest ? options[0] : options.at(-1);
  if (flight_number === undefined) return yield* refuse(`${heading(trip)}; flights none`, wish);
  const [payment, payment_id] = yield* choosePayment(wish, context, slip);
  const label = options.length === 1 ? "only" : wantsEarliest ? "earliest" : "latest";
  yield* proposeAndDo(
    `${heading(trip)}; ${cabinOf(trip)}; ${label} ${flight_number} on ${date}; ${payment}. shall i change it?`,
    wish,
    call("update_reservation_flights", {
      reservation_id: trip.reservation_id,
      cabin: trip.cabin,
      flights: [{ flight_number, date }],
      payment_id,
    }),
  );
}

function* compensate(wish: Wish, trip: Reservation, { user, userId }: Context, slip: Slip): AgentScript {
  const facts = `${heading(trip)}; member ${user.membership}; ${cabinOf(trip)}; ins ${trip.insurance}`;
  if (!verdict(mayCompensate(user.membership, trip), slip)) return yield* refuse(facts, wish);
  const pax = slip === "one-passenger" ? 1 : trip.passengers.length;
  const amount = CERTIFICATE_PER_PASSENGER * pax;
  yield* proposeAndDo(
    `${facts}; allowed; pax ${pax}; amount ${amount}. shall i send it?`,
    wish,
    call("send_certificate", { user_id: userId, amount }),
  );
}

const verdict = (isAllowed: boolean, slip: Slip): boolean => isAllowed !== (slip === "verdict");

function* refuse(facts: string, wish: Wish): AgentScript {
  yield say(`${facts}; ${NOT_ALLOWED}`);
  if (wish.insists) yield say(REFUSED_AGAIN);
}

/** Asks how the user pays; gives the words for the proposal and the payment id. */
function* choosePayment(wish: Wish, { user }: Context, slip: Slip): Generator<AgentMove, readonly [string, string], string> {
  let method = firstPayment(user);
  if (slip !== "guessed-payment") {
    yield say("which payment method?");
    method = paymentMethods(user).find(({ source }) => source === wish.payment) ?? method;
  }
  return [`pay ${PAYMENT_WORDS[method.source] ?? method.source} ${method.id}`, method.id];
}

function* proposeAndDo(proposal: string, wish: Wish, write: AgentMove): AgentScript {
  yield say(proposal);
  const observation = yield write;
  if (!observation.startsWith("Error")) return void (yield say("done. anything else?"));
  yield say("sorry, that is not possible.");
  if (wish.insists) yield say(REFUSED_AGAIN);
}
