/** The identity provider: what people sign in at, and the keys of its tokens. */
import { createDiscovery } from "#server/oidc/discovery.ts";
import { reasonOf } from "#server/oidc/reason.ts";
import { fail, type Finding, ok } from "#shared/finding.ts";

const MAX_KEYS_BYTES = 1024 * 1024;

/** Reads the discovery document, as the first sign-in does. */
export async function checkProvider(issuer: string, clientId: string): Promise<Finding> {
  const name = "sign-in provider";
  try {
    await createDiscovery({ issuer, clientId })();
    return ok(name, `${hostOf(issuer)} describes itself`);
  } catch (error) {
    return fail(name, `${hostOf(issuer)} cannot be used (${reasonOf(error)})`, [
      "Check OIDC_ISSUER: its document is at /.well-known/openid-configuration below that address, and names the same issuer.",
      "docs/troubleshooting.md#signing-in-goes-round-in-circles",
    ]);
  }
}

export async function checkKeySet(address: string, signal: AbortSignal): Promise<Finding> {
  const name = "token keys";
  const advice = [
    "Check AUTH_JWKS_URL: without its keys every token is refused.",
    "docs/authenticate.md#tokens",
  ] as const;
  try {
    const response = await fetch(address, { signal, redirect: "error" });
    if (!response.ok) return fail(name, `${hostOf(address)} answers ${response.status}`, advice);
    const { keys } = JSON.parse(await textOf(response)) as { keys?: unknown };
    if (!Array.isArray(keys) || keys.length === 0) {
      return fail(name, `${hostOf(address)} has no keys`, advice);
    }
    return ok(name, `${hostOf(address)} has ${keys.length}`);
  } catch (error) {
    return fail(name, `${hostOf(address)} cannot be read (${reasonOf(error)})`, advice);
  }
}

/** An answer without end would fill the memory. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_KEYS_BYTES) throw new Error("its answer is larger than 1 MiB");
  }
  return text;
}

/** Addresses may hold passwords. */
function hostOf(address: string): string {
  return new URL(address).host;
}
