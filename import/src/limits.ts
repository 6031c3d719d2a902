/** How much of an input is looked at before it is read, in bytes of its unpacked text. */
export const sampleBytes = 256 * 1024;

/** How many rows of the sample are looked at. */
export const sampleRows = 5000;

/** The most characters of a row. */
export const rowCharactersMax = 64 * 1024;

/** The most characters of a field in quotes: a quote that is not closed hides no more than that. */
export const quotedCharactersMax = 4096;

/** How many refused rows, unknown sensors and other examples a report names. */
export const listedMax = 20;

/** How many different reasons of refused rows are counted separately; further ones are counted together. */
export const reasonsMax = 100;

/** How many names of unknown sensors are counted separately; further ones are counted together. */
export const unknownNamesMax = 1000;

/** How many raw device names are remembered with their encoded form. */
export const deviceNamesMax = 100_000;

/** Readings that come again are recognised among so many identities by default: 96 MB at the most, less for small files. */
export const identitiesMax = 4_000_000;

/** How many recordings are loaded at the same time over HTTP. */
export const uploadsMax = 4;
