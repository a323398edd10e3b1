/** Seconds that a module gets before there are episodes, whose deadlines are those of every world. */
export const MODULE_SECONDS = { load: 60, openTaskSet: 300 } as const;

/** A TypeScript file of somebody else's, imported. What of it runs, runs through `call`, so that its failures say where they come from. */
export interface LoadedModule {
  /** As messages name it. */
  readonly path: string;
  /** Over the file and everything that it imports by a path. */
  readonly sha256: string;
  readonly exported: Readonly<Record<string, unknown>>;
  /**
   * The answer of a piece of the module.
   *
   * throws  environment.failed with file and line for whatever it throws; environment.timeout when it does not answer within `seconds`
   *         (absent: its caller holds the deadline); a CampaignError of its own as it is
   */
  call<Answer>(what: string, action: () => Answer | Promise<Answer>, seconds?: number): Promise<Answer>;
  /** The same of a piece that never waits. */
  callNow<Answer>(what: string, action: () => Answer): Answer;
  /** A file by its path from the module's folder. Rejects where it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
}
