// The shop of tau-bench: 16 tools over users, orders and products.
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { ToolSchema } from "#core/ports.ts";
import type { DatabaseState } from "../database.ts";
import { commonTools } from "../tau-tool.ts";
import type { Tool } from "../tool.ts";
import { createToolEnvironment, TAU_RULES } from "../tool-environment.ts";
import type { RetailDatabase } from "./database.ts";
import { cancelPendingOrder } from "./tools/cancel-order.ts";
import { exchangeDeliveredOrderItems, returnDeliveredOrderItems } from "./tools/delivered-order.ts";
import {
  findUserIdByEmail,
  findUserIdByNameZip,
  getOrderDetails,
  getProductDetails,
  getUserDetails,
  listAllProductTypes,
} from "./tools/lookup.ts";
import { modifyPendingOrderAddress, modifyPendingOrderItems, modifyPendingOrderPayment, modifyUserAddress } from "./tools/modify-order.ts";
import { retailTool } from "./tools/retail-tool.ts";

export type RetailState = DatabaseState;

const { calculate, think, transferToHumanAgents } = commonTools(retailTool);

/** In the order that the model sees. */
export const RETAIL_TOOLS: readonly Tool[] = [
  calculate,
  cancelPendingOrder,
  exchangeDeliveredOrderItems,
  findUserIdByEmail,
  findUserIdByNameZip,
  getOrderDetails,
  getProductDetails,
  getUserDetails,
  listAllProductTypes,
  modifyPendingOrderAddress,
  modifyPendingOrderItems,
  modifyPendingOrderPayment,
  modifyUserAddress,
  returnDeliveredOrderItems,
  think,
  transferToHumanAgents,
];

export interface RetailEnvironmentOptions {
  readonly database: RetailDatabase;
  readonly tools: readonly ToolSchema[];
  readonly systemPrompt: string;
  readonly tasks: readonly GoldenTask[];
}

export function createRetailEnvironment(options: RetailEnvironmentOptions): Environment<RetailState> {
  const { database, tools, systemPrompt, tasks } = options;
  return createToolEnvironment({ id: "retail", database, tools: RETAIL_TOOLS, schemas: tools, systemPrompt, tasks, rules: TAU_RULES });
}
