// The airline of tau2-bench: corrected tasks, validated arguments, 14 tools, its own wording.
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { ToolSchema } from "#core/ports.ts";
import type { AirlineDatabase } from "../airline/database.ts";
import type { DatabaseState } from "../database.ts";
import { sortedJsonText } from "../hash-texts.ts";
import { refuseReserved, type Tool } from "../tool.ts";
import { type BenchmarkRules, createToolEnvironment } from "../tool-environment.ts";
import { bookReservation } from "./tools/book-reservation.ts";
import {
  calculate,
  getFlightStatus,
  getReservationDetails,
  getUserDetails,
  listAllAirports,
  transferToHumanAgents,
} from "./tools/lookup.ts";
import { searchDirectFlight, searchOnestopFlight } from "./tools/search-flights.ts";
import { RESERVED_ARGUMENTS } from "./tools/tau2-tool.ts";
import {
  cancelReservation,
  sendCertificate,
  updateReservationBaggages,
  updateReservationFlights,
  updateReservationPassengers,
} from "./tools/update-reservation.ts";

/** In the order that the model sees. */
export const TAU2_AIRLINE_TOOLS: readonly Tool[] = [
  bookReservation,
  calculate,
  cancelReservation,
  getReservationDetails,
  getUserDetails,
  listAllAirports,
  searchDirectFlight,
  searchOnestopFlight,
  sendCertificate,
  transferToHumanAgents,
  updateReservationBaggages,
  updateReservationFlights,
  updateReservationPassengers,
  getFlightStatus,
];

/** A transfer does not end a conversation: the user simulator answers it with its own stop token. */
export const TAU2_RULES: BenchmarkRules = {
  recordText: sortedJsonText,
  terminalTools: new Set(),
  unknownTool: (name, kwargs) => {
    refuseReserved(RESERVED_ARGUMENTS, kwargs);
    return `Error: Tool '${name}' not found.`;
  },
};

export interface Tau2AirlineEnvironmentOptions {
  readonly database: AirlineDatabase;
  readonly tools: readonly ToolSchema[];
  readonly systemPrompt: string;
  readonly tasks: readonly GoldenTask[];
}

/** Graded as all its tasks ask: the database, and what must be communicated. */
export function createTau2AirlineEnvironment(options: Tau2AirlineEnvironmentOptions): Environment<DatabaseState> {
  const { database, tools, systemPrompt, tasks } = options;
  return createToolEnvironment({
    id: "tau2-airline",
    database,
    tools: TAU2_AIRLINE_TOOLS,
    schemas: tools,
    systemPrompt,
    tasks,
    rules: TAU2_RULES,
  });
}
