// The records of tau2-bench's airline, field by field in the order in which they are dumped.

import { isDict } from "../python/values.ts";
import { anything, dictOf, float, integer, listOf, literal, type Model, nested, text, type Validate } from "./pydantic.ts";

export const FLIGHT_INFO: Model = { name: "FlightInfo", fields: { flight_number: text, date: text } };
export const PASSENGER: Model = { name: "Passenger", fields: { first_name: text, last_name: text, dob: text } };
export const PAYMENT: Model = { name: "Payment", fields: { payment_id: text, amount: integer } };
export const CERTIFICATE: Model = { name: "Certificate", fields: { source: literal("certificate"), id: text, amount: float } };
const GIFT_CARD: Model = { name: "GiftCard", fields: { source: literal("gift_card"), id: text, amount: float } };
const CREDIT_CARD: Model = { name: "CreditCard", fields: { source: literal("credit_card"), id: text, brand: text, last_four: text } };

const paymentMethod: Validate = (input, place, problems) => {
  const source = isDict(input) ? input.get("source") : null;
  const model = source === "certificate" ? CERTIFICATE : source === "gift_card" ? GIFT_CARD : CREDIT_CARD;
  return nested(model)(input, place, problems);
};

const RESERVATION_FLIGHT: Model = {
  name: "ReservationFlight",
  fields: { flight_number: text, origin: text, destination: text, date: text, price: integer },
};

const optionalText: Validate = (input, place, problems) => (input === null ? null : text(input, place, problems));
const optionalStatus: Validate = (input, place, problems) => (input === null ? null : literal("cancelled")(input, place, problems));

export const RESERVATION: Model = {
  name: "Reservation",
  fields: {
    reservation_id: text,
    user_id: text,
    origin: text,
    destination: text,
    flight_type: literal("round_trip", "one_way"),
    cabin: literal("business", "economy", "basic_economy"),
    flights: listOf(nested(RESERVATION_FLIGHT)),
    passengers: listOf(nested(PASSENGER)),
    payment_history: listOf(nested(PAYMENT)),
    created_at: text,
    total_baggages: integer,
    nonfree_baggages: integer,
    insurance: literal("yes", "no"),
    status: [optionalStatus, null],
  },
};

const NAME: Model = { name: "Name", fields: { first_name: text, last_name: text } };
const ADDRESS: Model = {
  name: "Address",
  fields: { address1: text, address2: [optionalText, null], city: text, country: text, state: text, zip: text },
};

export const USER: Model = {
  name: "User",
  fields: {
    user_id: text,
    name: nested(NAME),
    address: nested(ADDRESS),
    email: text,
    dob: text,
    payment_methods: dictOf(paymentMethod),
    saved_passengers: listOf(nested(PASSENGER)),
    membership: literal("gold", "silver", "regular"),
    reservations: listOf(text),
  },
};

export const FLIGHT: Model = {
  name: "Flight",
  fields: {
    flight_number: text,
    origin: text,
    destination: text,
    scheduled_departure_time_est: text,
    scheduled_arrival_time_est: text,
    dates: dictOf(anything),
  },
};
