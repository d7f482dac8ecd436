/** The charset that a label stands for (`latin1` is `windows-1252`); `undefined` for an unknown label. */
export function charsetOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
