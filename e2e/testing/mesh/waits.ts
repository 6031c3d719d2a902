/** Interval at which a test polls the real mesh, in ms: often enough, without adding load. */
export const everyMs = 250;
