/** Why a sign-in at the provider failed, in words for the person. Why exactly is in the log. */
import type { ProblemKind } from "#server/oidc/problem.ts";
import type { WindowPage } from "./window-page.ts";

export function problemPage(kind: ProblemKind, provider: string): WindowPage {
  const { status, title, text } = PAGES[kind];
  return { status, title: title(provider), text: text(provider) };
}

type Words = (provider: string) => string;

const PAGES: Record<ProblemKind, { status: number; title: Words; text: Words }> = {
  "bad return": {
    status: 400,
    title: () => "This link leads to another place",
    text: () =>
      "The address with which signing in began does not lead back to a page of Jobwire. Open Jobwire itself, and sign in there.",
  },
  stale: {
    status: 400,
    title: () => "This sign-in is not the current one",
    text: () =>
      "It was already used, took longer than ten minutes, or was begun in another browser. If you are signed in already, go on to Jobwire. Otherwise try again.",
  },
  denied: {
    status: 403,
    title: () => "You were not signed in",
    text: (provider) => `The sign-in at ${provider} was cancelled or refused.`,
  },
  unavailable: {
    status: 503,
    title: (provider) => `${provider} cannot be reached`,
    text: (provider) =>
      `Signing in with ${provider} does not work at the moment. Try again in a while. If it stays so, tell the people who run this server.`,
  },
  busy: {
    status: 503,
    title: () => "You could not be signed in at the moment",
    text: () => "The server is busy, or cannot reach its data. Try again in a while.",
  },
  "too many": {
    status: 429,
    title: () => "Too many sign-ins have failed",
    text: () =>
      "This sign-in was not accepted, after many others from your network that were not accepted either. Wait a minute, then try again.",
  },
  refused: {
    status: 403,
    title: () => "You could not be signed in",
    text: (provider) =>
      `The answer of ${provider} was not accepted. Try again. If it stays so, tell the people who run this server: its log has the reason.`,
  },
  "no tenant": {
    status: 403,
    title: () => "Your account has no tenant",
    text: (provider) =>
      `${provider} knows you, but does not say to which tenant of Jobwire you belong. Ask the people who run this server to assign one to your account.`,
  },
  "no user": {
    status: 403,
    title: () => "Your account cannot be used",
    text: (provider) =>
      `The name that ${provider} has for your account cannot be used here. Tell the people who run this server.`,
  },
};
