/**
 * A message that is stored in a form that cannot be read here, and never will be. No client may
 * delete it unseen.
 */
export class UnservableMessage extends Error {
  override readonly name = 'UnservableMessage';
}
