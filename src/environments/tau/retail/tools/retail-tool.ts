import { toolsOf } from "../../tau-tool.ts";

/** A tool of tau-bench's retail domain. */
export const retailTool = toolsOf("retail");
