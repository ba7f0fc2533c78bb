/** Series of NBIA that come at a time. */
export const SERIES_AT_ONCE = 4;
