// What a model is told about the airline's tools, in our words; names and parameters are tau-bench's, so that a policy can move between both.
import type { ToolSchema } from "#core/ports.ts";

type Property = Readonly<Record<string, unknown>>;

const text = (description: string): Property => ({ type: "string", description });
const count = (description: string): Property => ({ type: "integer", description });
const choice = (...values: readonly string[]): Property => ({ type: "string", enum: values });
const listOf = (description: string, properties: Readonly<Record<string, Property>>): Property => ({
  type: "array",
  description,
  items: { type: "object", properties, required: Object.keys(properties) },
});

/** All parameters are required. */
function schema(name: string, description: string, properties: Readonly<Record<string, Property>> = {}): ToolSchema {
  return {
    type: "function",
    function: { name, description, parameters: { type: "object", properties, required: Object.keys(properties) } },
  };
}

const userId = text("Id of the user, for example mia_li_3668.");
const reservationId = text("Id of the reservation, six letters or digits.");
const origin = text("Airport of departure, three letters.");
const destination = text("Airport of arrival, three letters.");
const day = text("Day of departure as YYYY-MM-DD.");
const cabin = choice("basic_economy", "economy", "business");
const payer = text("Id of a payment method from the user's profile.");
const segments = (description: string) => listOf(description, { flight_number: text("Flight number, for example HAT001."), date: day });
const passengers = listOf("One entry for every passenger.", {
  first_name: text("First name."),
  last_name: text("Last name."),
  dob: text("Date of birth as YYYY-MM-DD."),
});
const totalBaggages = count("Checked bags of the whole reservation.");
const nonfreeBaggages = count("How many of these bags are paid for.");

/** In tau-bench's order. */
export const AIRLINE_TOOL_SCHEMAS: readonly ToolSchema[] = [
  schema("book_reservation", "Make a new reservation and charge the given payment methods. The amounts must add up to the total price.", {
    user_id: userId,
    origin,
    destination,
    flight_type: choice("one_way", "round_trip"),
    cabin,
    flights: segments("Every flight of the trip in order."),
    passengers,
    payment_methods: listOf("How the total is split.", {
      payment_id: payer,
      amount: { type: "number", description: "Dollars charged to this method." },
    }),
    total_baggages: totalBaggages,
    nonfree_baggages: nonfreeBaggages,
    insurance: choice("yes", "no"),
  }),
  schema("calculate", "Work out an arithmetic expression; the result has two decimals at most.", {
    expression: text("Numbers with + - * / and brackets, for example 3 * (50 + 30)."),
  }),
  schema("cancel_reservation", "Cancel a reservation with all its flights and refund what was paid.", { reservation_id: reservationId }),
  schema("get_reservation_details", "Show a reservation.", { reservation_id: reservationId }),
  schema("get_user_details", "Show a user's profile, payment methods and reservation ids.", { user_id: userId }),
  schema("list_all_airports", "List every airport with its city."),
  schema("search_direct_flight", "Find non-stop flights between two airports that can be booked on a day.", {
    origin,
    destination,
    date: day,
  }),
  schema("search_onestop_flight", "Find connections with one stop between two airports that can be booked on a day.", {
    origin,
    destination,
    date: day,
  }),
  schema("send_certificate", "Give a user a travel certificate as compensation. It cannot be taken back.", {
    user_id: userId,
    amount: { type: "number", description: "Value in dollars." },
  }),
  schema("think", "Write down a thought. Nothing is looked up and nothing changes.", { thought: text("The thought.") }),
  schema("transfer_to_human_agents", "Hand the conversation over to a person. Only for requests that the other tools cannot serve.", {
    summary: text("What the user wants and what was done so far."),
  }),
  schema("update_reservation_baggages", "Set the number of checked bags of a reservation and charge the added ones.", {
    reservation_id: reservationId,
    total_baggages: totalBaggages,
    nonfree_baggages: nonfreeBaggages,
    payment_id: payer,
  }),
  schema("update_reservation_flights", "Replace the flights or the cabin of a reservation and charge or refund the difference.", {
    reservation_id: reservationId,
    cabin,
    flights: segments("Every flight of the changed trip, the unchanged ones too."),
    payment_id: payer,
  }),
  schema("update_reservation_passengers", "Replace the passengers of a reservation. Their number stays the same.", {
    reservation_id: reservationId,
    passengers,
  }),
];
