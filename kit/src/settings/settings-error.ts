/**
 * Settings that contradict each other, or name a file that is not what it should be: found when they are put
 * to use, not when they are read. The message is for the user and names the flags.
 */
export class SettingsError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "SettingsError";
  }
}
