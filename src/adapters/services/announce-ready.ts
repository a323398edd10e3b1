/**
 * Tells the supervisor that this process is ready to work: a worker calls it once it polls. No-op when nobody supervises.
 * The channel does not keep the process alive, and losing it (a killed supervisor) does not end it.
 */
export function announceReady(): void {
  process.send?.({ type: "ready" });
  process.channel?.unref();
}
