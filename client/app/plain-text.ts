/** Text of others as the page shows it: nothing in it commands a terminal, or changes the order in which it is read. */

/** Colours and links for terminals: a sequence that ends with a letter, one that ends with a bell or backslash, or two characters. */
// oxlint-disable-next-line no-control-regex -- it is about these
const ANSI = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)|[@-Z\\^_a-z])/g;
/** Marks that turn the direction of what follows. Letters have directions of their own. */
const TURNS = /[\u202A-\u202E\u2066-\u2069]/g;
const CONTROLS = /\p{Cc}/gu;
/** U+2400 is the picture of U+0000, and so on. */
const PICTURES = 0x2400;

/** A line of a log, which may have several lines itself. Control characters become visible. */
export function plainLine(text: string): string {
  return text
    .replaceAll(ANSI, "")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(TURNS, "")
    .replaceAll(CONTROLS, pictureOf);
}

function pictureOf(control: string): string {
  if (control === "\n" || control === "\t") return control;
  const code = control.charCodeAt(0);
  if (code === 0x7f) return "\u2421";
  return code < 0x20 ? String.fromCharCode(PICTURES + code) : "\uFFFD";
}

/** The name of a person, which is never empty. */
export function plainName(user: string): string {
  return user.replaceAll(TURNS, "").replaceAll(CONTROLS, " ").trim() || "?";
}
