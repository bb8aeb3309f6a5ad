// Why something that the visitor gave was not taken.

/** One sentence that says what is wrong, and a hint: one that says what to do. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {string} hint
   */
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}
