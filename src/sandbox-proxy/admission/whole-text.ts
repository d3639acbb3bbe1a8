/**
 * A pattern that the whole of a text has to match, made of one that a contract gives without anchors. It remembers
 * nothing from one text to the next, whatever the flags of the other.
 */
export function wholeText({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags.replace(/[gmy]/g, ''));
}
