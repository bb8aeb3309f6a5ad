// A refusal: what is wrong and what to do, in a sentence each, and a code for programs.

export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {string} hint
   */
  constructor(code, message, hint) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
