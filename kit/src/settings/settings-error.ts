/**
 * Settings that contradict each other, or name an invalid file: detected when they are used, not when they are parsed.
 * The message is for the user and names the flags.
 */
export class SettingsError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "SettingsError";
  }
}
