/** What was asked for cannot be done, for a reason that the message tells together with what to do. Nothing was changed. */
export class Refusal extends Error {}
