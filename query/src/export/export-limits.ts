/** Exports at a time, over RPC and HTTP together: each holds one read of the store in memory, some 20 MiB. */
export const exportsMax = 8;

/** How long a client may read nothing before its export is cut, in ms. */
export const exportStallMs = 120_000;

/** Rows of one message of a streaming RPC: far below the 4 MiB that clients accept by default. */
export const messageRowsMax = 1000;

/** The most groups (series, devices, sensors) of an export of buckets. */
export const exportGroupsMax = 100_000;

/** The most partials of one read of an export of buckets, if one bucket of all groups has no more. */
export const partialsPerReadMax = 20_000;

/** The size of a bucket where the request has none, in ms. */
export const defaultBucketMs = 3_600_000;

/** Longer than this after its horizon was sealed, a store may delete what lies before its marks, in ms. */
export const sealedReadsMs = 50_000;
