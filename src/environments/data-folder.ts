// Files of a benchmark, wherever they lie: environments are pure, so somebody else reads.

export interface DataFolder {
  /** Where it is, for messages. */
  readonly path: string;
  isThere(): Promise<boolean>;
  /** The folder of this name in it, there or not. */
  folder(name: string): DataFolder;
  /** Rejects where there is no such file, or it cannot be read. */
  readText(name: string): Promise<string>;
}
