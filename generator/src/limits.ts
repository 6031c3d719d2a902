// Numbers of the generator that are not settings. Times are in milliseconds unless a name states another unit.

export const slicesMax = 20;

export const sliceMsMin = 10;

export const devicesListedMax = 1000;

export const stopLimitMs = 2_000;

export const reasonsListedMax = 10;

export const statusIntervalMs = 500;

export const badRowsListedMax = 100;

export const progressMs = 250;

export const quotedCharactersMax = 60;

/** A request of GeneratorService contains a few numbers; a larger one is invalid. */
export const readBytesMax = 64 * 1024;

/** StopGenerator waits this long for the outbox; calls may take a little longer. */
export const shutdownGraceMs = 2500;
