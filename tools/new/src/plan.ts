/** What is to be written, by paths relative to the workspace. */
export interface Plan {
  /** Files that are not there yet. */
  readonly created: ReadonlyMap<string, string>;
  /** The new texts of files that are. */
  readonly edited: ReadonlyMap<string, string>;
}
