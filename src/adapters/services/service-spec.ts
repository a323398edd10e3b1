// What the supervisor needs to know of a service: plain data, so that it can cross to a detached process.
import { z } from "zod";

/** How a service shows that it is ready. */
export const Readiness = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("http"), url: z.url() }),
  /** The namespace answers; its retention and search attributes are set on the way. */
  z.strictObject({ type: z.literal("temporal"), binary: z.string(), address: z.string(), namespace: z.string() }),
  /** The process says so itself, over its IPC channel: see announce-ready.ts. */
  z.strictObject({ type: z.literal("announced") }),
]);
export type Readiness = z.infer<typeof Readiness>;

export const ServiceSpec = z.strictObject({
  name: z.string().regex(/^[a-z][a-z-]*$/),
  argv: z.array(z.string()).min(1),
  /** Over what a child is given of the shell. */
  env: z.record(z.string(), z.string()),
  /** TCP ports on loopback by what they serve; checked to be free before anything starts. */
  ports: z.record(z.string(), z.int()),
  readiness: Readiness,
  readySeconds: z.number().positive(),
  /** Whether the stack counts as ready only when this service is. */
  isAwaited: z.boolean(),
  /** Services that must be ready before this one starts. */
  after: z.array(z.string()),
  /** Wave 0 stops first. */
  stopWave: z.int().min(0),
  /** From SIGTERM to SIGKILL. */
  stopSeconds: z.number().positive(),
  /** 0 is normal, 19 the most modest. */
  niceness: z.int().min(0).max(19),
});
export type ServiceSpec = z.infer<typeof ServiceSpec>;

export const StackPlan = z.strictObject({
  /** State folder of the stack, absolute. */
  home: z.string(),
  /** Working directory of every service. */
  folder: z.string(),
  endpoints: z.strictObject({
    temporalAddress: z.string(),
    temporalUiUrl: z.string(),
    namespace: z.string(),
    mlflowUrl: z.string(),
    policyUrl: z.string(),
  }),
  services: z.array(ServiceSpec),
});
export type StackPlan = z.infer<typeof StackPlan>;
export type Endpoints = StackPlan["endpoints"];
