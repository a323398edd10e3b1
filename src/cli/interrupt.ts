// Ctrl-C as an AbortSignal: the first one asks the command to end in order, the second ends the process.
let controller: AbortController | null = null;
let consequence = "nothing was left half done";

/** Aborted by Ctrl-C or SIGTERM. */
export function interruptSignal(): AbortSignal {
  if (controller !== null) return controller.signal;
  const created = new AbortController();
  const interrupt = (): void => {
    if (created.signal.aborted) process.exit(130);
    created.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  controller = created;
  return created.signal;
}

/** Says what an interruption from now on means to the person, in one line. */
export function onInterruptSay(text: string): void {
  consequence = text;
}

/** What to tell the person, or null when there was no interruption. */
export function interruption(): string | null {
  return controller?.signal.aborted === true ? consequence : null;
}
