/**
 * A pattern that matches only whole texts, made from the pattern of a contract, which has no anchors. Without the flags `g`
 * and `y`, with which a RegExp keeps state between texts.
 */
export function wholeText({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags.replace(/[gmy]/g, ''));
}
