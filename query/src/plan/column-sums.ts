// The positions of the figures of one sum in the columns of a merge. The sum of values is HIGH + LOW: LOW has the rounding
// error of HIGH (Neumaier).
export const COUNT = 0;
export const HIGH = 1;
export const LOW = 2;
export const MINIMUM = 3;
export const MAXIMUM = 4;
export const MINIMUM_AT = 5;
export const MAXIMUM_AT = 6;
export const FIRST_AT = 7;
export const FIRST = 8;
export const LAST_AT = 9;
export const LAST = 10;
export const M2 = 11;
export const FROM_RAW = 12;
export const FIRST_SERIES = 13;
export const LAST_SERIES = 14;
export const BUCKET = 15;

/** The number of figures of one sum. */
export const stride = 16;
