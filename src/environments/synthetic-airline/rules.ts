// The airline's policy as arithmetic: what tau-bench's policy document says about bags, cancellations and compensation.

import type { Cabin, Membership, Reservation } from "../tau/airline/records.ts";

export type CancelReason = "change of plan" | "health" | "weather";

/** The airline's clock: all tasks happen now. */
export const NOW = "2024-05-15T15:00:00";
const DAY_BEFORE_NOW = "2024-05-14T15:00:00";
export const BAG_PRICE = 50;
export const CERTIFICATE_PER_PASSENGER = 100;

const FREE_BAGS: Readonly<Record<Membership, Readonly<Record<Cabin, number>>>> = {
  regular: { basic_economy: 0, economy: 1, business: 2 },
  silver: { basic_economy: 1, economy: 2, business: 3 },
  gold: { basic_economy: 2, economy: 3, business: 3 },
};

/** Free checked bags of one passenger. */
export function freeBagsEach(membership: Membership, cabin: Cabin): number {
  return FREE_BAGS[membership][cabin];
}

/** Whether a booking was made within 24 hours of now. ISO times compare as text. */
export function isMadeWithin24Hours(createdAt: string): boolean {
  return createdAt >= DAY_BEFORE_NOW;
}

/** Cancellation rule for a trip that has not flown and that the airline has not cancelled. */
export function mayCancel(trip: Pick<Reservation, "cabin" | "insurance" | "created_at">, reason: CancelReason): boolean {
  if (isMadeWithin24Hours(trip.created_at) || trip.cabin === "business") return true;
  return trip.insurance === "yes" && reason !== "change of plan";
}

/** Whether a complaint about a cancelled flight earns a certificate. */
export function mayCompensate(membership: Membership, trip: Pick<Reservation, "cabin" | "insurance">): boolean {
  return membership !== "regular" || trip.insurance === "yes" || trip.cabin === "business";
}
