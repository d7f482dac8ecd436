/** The environment variables of TLS, and the combinations that cannot work. */
import { type SettingsOf, text, type Variables } from "#shared/variables.ts";

/** The message omits the value: a pasted key must not be shown. */
const path = text.refine(
  (value) => !/[\r\n]|-----BEGIN/.test(value),
  "must be the path of a file, and not what the file holds",
);

export const TLS_VARIABLES = {
  TLS_CERT_FILE: {
    schema: path,
    unset: "no TLS",
    about:
      "The file of the certificate, in PEM form, followed by those of its issuers. With it the server speaks https and wss only. Read again when it changes.",
  },
  TLS_KEY_FILE: {
    schema: path,
    unset: "no TLS",
    about: "The file of the certificate's private key, in PEM form and without a passphrase.",
  },
} as const satisfies Variables;

export type TlsSettings = SettingsOf<typeof TLS_VARIABLES>;

/** The paths of the two files. */
export interface KeyPairFiles {
  cert: string;
  key: string;
}

/** Returns `undefined` if the server speaks plain HTTP. */
export function keyPairFiles(settings: TlsSettings): KeyPairFiles | undefined {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } = settings;
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** Returns messages for variables that are valid separately, but not together. */
export function tlsConflicts({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key }: TlsSettings): string[] {
  if (cert !== undefined && key === undefined) {
    return ["TLS_CERT_FILE needs TLS_KEY_FILE, the file of the certificate's private key"];
  }
  if (key !== undefined && cert === undefined) {
    return ["TLS_KEY_FILE needs TLS_CERT_FILE, the file of the certificate of this key"];
  }
  return [];
}
