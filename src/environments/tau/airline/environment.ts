// The airline of tau-bench: 14 tools over users, flights and reservations.
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { ToolSchema } from "#core/ports.ts";
import type { DatabaseState } from "../database.ts";
import { commonTools } from "../tau-tool.ts";
import type { Tool } from "../tool.ts";
import { createToolEnvironment, TAU_RULES } from "../tool-environment.ts";
import type { AirlineDatabase } from "./database.ts";
import { airlineTool } from "./tools/airline-tool.ts";
import { bookReservation } from "./tools/book-reservation.ts";
import { cancelReservation } from "./tools/cancel-reservation.ts";
import { getReservationDetails, getUserDetails, listAllAirports } from "./tools/lookup.ts";
import { searchDirectFlight, searchOnestopFlight } from "./tools/search-flights.ts";
import { sendCertificate } from "./tools/send-certificate.ts";
import { updateReservationBaggages, updateReservationFlights, updateReservationPassengers } from "./tools/update-reservation.ts";

export type AirlineState = DatabaseState;

const { calculate, think, transferToHumanAgents } = commonTools(airlineTool);

/** In the order that the model sees. */
export const AIRLINE_TOOLS: readonly Tool[] = [
  bookReservation,
  calculate,
  cancelReservation,
  getReservationDetails,
  getUserDetails,
  listAllAirports,
  searchDirectFlight,
  searchOnestopFlight,
  sendCertificate,
  think,
  transferToHumanAgents,
  updateReservationBaggages,
  updateReservationFlights,
  updateReservationPassengers,
];

export interface AirlineEnvironmentOptions {
  readonly database: AirlineDatabase;
  /** What the model is told about the tools: AIRLINE_TOOL_SCHEMAS, or the benchmark's own. */
  readonly tools: readonly ToolSchema[];
  readonly systemPrompt: string;
  readonly tasks: readonly GoldenTask[];
}

/** The airline over a database; the same tools for tau-bench's data and for generated data. */
export function createAirlineEnvironment(options: AirlineEnvironmentOptions): Environment<AirlineState> {
  const { database, tools, systemPrompt, tasks } = options;
  return createToolEnvironment({ id: "airline", database, tools: AIRLINE_TOOLS, schemas: tools, systemPrompt, tasks, rules: TAU_RULES });
}
