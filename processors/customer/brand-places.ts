/** Room for sums in the number of a cell, the first ones being those of BRAND_SUMS; never changed, for cells are stored. */
export const PLACES = 64;

/**
 * At the other end, customers counted under an hour of theirs, so that one count serves every window: that of the last thing
 * they did, of the last referral, of the last order and of the one before.
 */
export const ACTIVE = PLACES - 1;
export const REFERRERS = PLACES - 2;
export const PURCHASERS = PLACES - 3;
export const REPEAT_PURCHASERS = PLACES - 4;
/** One more under the last hour in which somebody was no customer yet, one less under that in which it ended. */
export const WON = PLACES - 5;
/** The same of those who are lost now alone. */
export const WON_OF_LOST = PLACES - 6;
/** Those who are lost now, under the hour in which that began. */
export const LOST = PLACES - 7;
