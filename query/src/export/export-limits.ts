/**
 * Number of concurrent exports, over RPC and HTTP together: each holds one read of the store in memory, about 20 MiB.
 */
export const exportsMax = 8;

/** Longest time that a client may read nothing before its export is cut, in ms. */
export const exportStallMs = 120_000;

/** Number of rows in one message of a streaming RPC: far below the 4 MiB that clients accept by default. */
export const messageRowsMax = 1000;

/** Maximum number of groups (series, devices, sensors) of an export of buckets. */
export const exportGroupsMax = 100_000;

/** Maximum number of partials in one read of an export of buckets, unless one bucket of all groups has more. */
export const partialsPerReadMax = 20_000;

/** Default size of a bucket, in ms. */
export const defaultBucketMs = 3_600_000;

/** After this time since its horizon was sealed, a store may delete data before its marks, in ms. */
export const sealedReadsMs = 50_000;
