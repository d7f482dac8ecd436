/** Tells listeners that a stream grew, or that a credential ended. Without listeners a hint costs one lookup in a map. */
import type { Hint, StreamRef } from "#server/engine/contract.ts";
import { notify } from "#server/engine/notify.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { streamKey } from "#shared/stream-ref.ts";

export interface Hints {
  on(stream: StreamRef, listener: (hint: Hint) => void): () => void;
  emit(stream: StreamRef, hint: Hint): void;
  onCredential(listener: (hint: CredentialHint) => void): () => void;
  emitCredential(hint: CredentialHint): void;
}

export function createHints(): Hints {
  const listeners: Record<StreamRef["stream"], Map<string, Set<(hint: Hint) => void>>> = {
    job: new Map(),
    draft: new Map(),
    lines: new Map(),
    batch: new Map(),
    feed: new Map(),
    presence: new Map(),
  };
  const ofCredentials = new Set<(hint: CredentialHint) => void>();
  return {
    on(stream, listener) {
      // A function of its own, so that a listener given twice is called, and ended, twice.
      const registered = (hint: Hint): void => listener(hint);
      const ofKind = listeners[stream.stream];
      const key = streamKey(stream);
      const set = ofKind.get(key) ?? new Set();
      ofKind.set(key, set.add(registered));
      return () => {
        set.delete(registered);
        if (set.size === 0 && ofKind.get(key) === set) ofKind.delete(key);
      };
    },
    emit(stream, hint) {
      const ofKind = listeners[stream.stream];
      if (ofKind.size === 0) return;
      const set = ofKind.get(streamKey(stream));
      if (set) notify(set, hint);
    },
    onCredential(listener) {
      const registered = (hint: CredentialHint): void => listener(hint);
      ofCredentials.add(registered);
      return () => void ofCredentials.delete(registered);
    },
    emitCredential: (hint) => notify(ofCredentials, hint),
  };
}
