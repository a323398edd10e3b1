// Ctrl-C as an AbortSignal: the first one asks the command to end in order, the second ends the process.
let controller: AbortController | null = null;

export function interruptSignal(): AbortSignal {
  if (controller !== null) return controller.signal;
  controller = new AbortController();
  const interrupt = (): void => {
    if (controller?.signal.aborted === true) process.exit(130);
    controller?.abort(new Interrupted());
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

/** The person pressed Ctrl-C (or the process was asked to end). */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
