/** Size of the sample of an input, in bytes of its decompressed text. */
export const sampleBytes = 256 * 1024;

/** Maximum number of rows in the sample. */
export const sampleRows = 5000;

/** Maximum length of a row in characters. */
export const rowCharactersMax = 64 * 1024;

/** Maximum length of a quoted field in characters, which bounds the effect of an unclosed quote. */
export const quotedCharactersMax = 4096;

/** Number of rejected rows, unknown sensors and other examples that a report names. */
export const listedMax = 20;

/** Number of different reasons of rejected rows that are counted separately; further ones are counted together. */
export const reasonsMax = 100;

/** Number of names of unknown sensors that are counted separately; further ones are counted together. */
export const unknownNamesMax = 1000;

/** Number of raw device names that are remembered with their encoded form. */
export const deviceNamesMax = 100_000;

/** Number of recordings that are loaded concurrently over HTTP. */
export const uploadsMax = 4;

/**
 * Readings of a unit. The embedded store waits after a commit by its size, at most 120 ms, and a device has one unit in
 * flight: units of the client's usual 5,000 would limit an import to 100,000 readings a second.
 */
export const unitReadings = 40_000;
