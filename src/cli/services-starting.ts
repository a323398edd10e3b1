// What a command says when it has to start the services first.
import { sayIgnored } from "./ignored-variables.ts";
import { printLine } from "./output.ts";
import { style } from "./style.ts";

export function sayServicesStart(): void {
  printLine(style.dim("starting the local services; `turnwise down` stops them"));
  sayIgnored();
}
