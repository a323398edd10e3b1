// What an airline's user can want, with the facts that this user knows.
import type { Cabin, Passenger } from "#environments/tau/airline/records.ts";

/** How the user names a trip: by its id, by its airports, or by what sets it apart from all their other trips. */
export type TripName =
  | { readonly by: "id"; readonly id: string }
  | { readonly by: "route"; readonly origin: string; readonly destination: string }
  | { readonly by: "most-paid" | "booked-last" | "booked-first" };

export type PaymentName =
  | { readonly by: "id"; readonly id: string }
  /** The user's only method of this source. */
  | { readonly by: "source"; readonly source: "credit_card" | "gift_card" };

/** Several dates: the cheapest direct flight of all of them. */
export interface FlightChoice {
  readonly dates: readonly string[];
  readonly preference: "cheapest" | "earliest" | "latest";
}

export type AirlineWish = { readonly userId: string } & (
  | { readonly kind: "cancel"; readonly trip: TripName; readonly reason: "change of plan" | "health" | "weather" }
  | { readonly kind: "all-passengers"; readonly tripId: string; readonly passengers: readonly Passenger[] }
  /** `replacement` null: the user, whose date of birth is in the profile. */
  | {
      readonly kind: "passenger";
      readonly trip: TripName;
      readonly old: Pick<Passenger, "first_name" | "last_name">;
      readonly replacement: Passenger | null;
    }
  /** `added` below 0: to remove. `mustBeFree`: the user pays for no bag. */
  | { readonly kind: "bags"; readonly trip: TripName; readonly added: number; readonly payment: PaymentName; readonly mustBeFree: boolean }
  /** `budget` in dollars for the whole trip, null for any price. */
  | {
      readonly kind: "cabin";
      readonly trip: TripName;
      readonly cabin: Cabin;
      readonly payment: PaymentName;
      readonly budget: number | null;
      readonly isFirstFlightOnly: boolean;
    }
  | { readonly kind: "flight"; readonly trip: TripName; readonly choice: FlightChoice; readonly payment: PaymentName }
  | { readonly kind: "certificate"; readonly trip: TripName; readonly flight: { readonly flight_number: string; readonly date: string } }
  /** For the user and `companions`; `birthday` null: it is in the profile. */
  | {
      readonly kind: "book";
      readonly origin: string;
      readonly destination: string;
      readonly cabin: Cabin;
      readonly choice: FlightChoice;
      readonly birthday: string | null;
      readonly name: { readonly first_name: string; readonly last_name: string };
      readonly companions: readonly Passenger[];
      readonly payment: PaymentName;
    }
  | {
      readonly kind: "fare";
      readonly origin: string;
      readonly destination: string;
      readonly cabin: Cabin;
      readonly dates: readonly string[];
    }
  /** What was paid; null: for all trips together. */
  | { readonly kind: "paid"; readonly trip: TripName | null }
);
export type AirlineKind = AirlineWish["kind"];
export type WishOf<Kind extends AirlineKind> = Extract<AirlineWish, { kind: Kind }>;

/** How a wish names its trip; null for wishes about none. */
export function tripNameOf(wish: AirlineWish): TripName | null {
  if (wish.kind === "all-passengers") return { by: "id", id: wish.tripId };
  return "trip" in wish ? wish.trip : null;
}
