/** How often a test asks the real mesh for what it waits for, in ms: often enough, and no load of its own. */
export const everyMs = 250;
