/** How it is found out what drives a model. */

/** About so many test users at most, chosen by a hash, are scored again and again. */
export const DRIVER_USERS = 5_000;
/** How often values are dealt to other users: of all features of a group at once, and of one feature. */
export const DEALS = { group: 5, feature: 3 } as const;
/** The features that bring the model most: of these it is found out one by one. */
export const LEADING_FEATURES = 20;
/** The range of a feature is shown in about so many bands of equally many users. */
export const RANGE_BANDS = 10;
