// The airline's records as plain data, in tau-bench's schema. Key order is meaningful: a model reads the records in this order.
// Ids are the keys of the maps; maps, not objects, because an id such as "429815" would change its place in an object.

export type Cabin = "basic_economy" | "economy" | "business";
export type Membership = "regular" | "silver" | "gold";

export interface Passenger {
  readonly first_name: string;
  readonly last_name: string;
  /** YYYY-MM-DD */
  readonly dob: string;
}

/** `amount` is in whole dollars. */
export type PaymentMethod =
  | { readonly source: "credit_card"; readonly brand: string; readonly last_four: string; readonly id: string }
  | { readonly source: "gift_card" | "certificate"; readonly amount: number; readonly id: string };

export interface User {
  readonly name: { readonly first_name: string; readonly last_name: string };
  readonly address: {
    readonly address1: string;
    readonly address2: string;
    readonly city: string;
    readonly country: string;
    readonly state: string;
    readonly zip: string;
  };
  readonly email: string;
  readonly dob: string;
  /** By payment id, e.g. credit_card_4421486. Ids must not look like integers. */
  readonly payment_methods: Readonly<Record<string, PaymentMethod>>;
  readonly saved_passengers: readonly Passenger[];
  readonly membership: Membership;
  readonly reservations: readonly string[];
}

/** What is known of a flight on one date. Only `available` flights can be booked. */
export type FlightDate =
  | {
      readonly status: "available";
      readonly available_seats: Readonly<Record<Cabin, number>>;
      readonly prices: Readonly<Record<Cabin, number>>;
    }
  | { readonly status: "landed"; readonly actual_departure_time_est: string; readonly actual_arrival_time_est: string }
  | { readonly status: "flying"; readonly actual_departure_time_est: string; readonly estimated_arrival_time_est: string }
  | { readonly status: "delayed" | "on time"; readonly estimated_departure_time_est: string; readonly estimated_arrival_time_est: string }
  | { readonly status: "cancelled" };

export interface Flight {
  readonly flight_number: string;
  /** IATA codes. */
  readonly origin: string;
  readonly destination: string;
  /** HH:MM:SS, with "+1" appended to an arrival on the next day. */
  readonly scheduled_departure_time_est: string;
  readonly scheduled_arrival_time_est: string;
  /** By date, YYYY-MM-DD. */
  readonly dates: Readonly<Record<string, FlightDate>>;
}

export interface ReservationFlight {
  readonly origin: string;
  readonly destination: string;
  readonly flight_number: string;
  readonly date: string;
  readonly price: number;
}

interface Payment {
  readonly payment_id: string;
  readonly amount: number;
}

export interface Reservation {
  readonly reservation_id: string;
  readonly user_id: string;
  readonly origin: string;
  readonly destination: string;
  readonly flight_type: "one_way" | "round_trip";
  readonly cabin: Cabin;
  readonly flights: readonly ReservationFlight[];
  readonly passengers: readonly Passenger[];
  readonly payment_history: readonly Payment[];
  readonly created_at: string;
  readonly total_baggages: number;
  readonly nonfree_baggages: number;
  readonly insurance: "yes" | "no";
  /** Only after a cancellation. */
  readonly status?: "cancelled";
}

/** A whole airline by id, in insertion order. */
export interface AirlineRecords {
  readonly users: ReadonlyMap<string, User>;
  readonly flights: ReadonlyMap<string, Flight>;
  readonly reservations: ReadonlyMap<string, Reservation>;
}
