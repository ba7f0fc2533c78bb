/** The list that Carrel writes for a package whose owner gave none. */
export const OWN_SUMS_NAME = 'carrel.sums';
