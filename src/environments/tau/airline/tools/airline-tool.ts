import { toolsOf } from "../../tau-tool.ts";

/** A tool of tau-bench's airline domain. */
export const airlineTool = toolsOf("airline");
