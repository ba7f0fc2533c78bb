/** The list of checksums that is kept beside what came from NBIA. */
export const NBIA_SUMS_NAME = 'carrel.nbia.sums';
