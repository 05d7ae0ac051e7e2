/** What whoever makes the bundle can mend; its message is all they see. */
export class BundleError extends Error {
  code = 'INPUT_BUNDLE';
}
