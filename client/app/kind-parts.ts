/** The parts that the page may have for one kind. It shows jobs of every kind without them. */
import type { ComponentType, ReactNode } from "react";
import type { KindInfo } from "#shared/api.ts";
import type { Job } from "#shared/job.ts";

export interface KindParts {
  /** True for the kind that these parts are made for: a server may have another one of the same name. */
  fits(info: KindInfo): boolean;
  /** Shown in place of an empty list of jobs, where this is the server's only kind. */
  invitation: string;
  NewJobPage: ComponentType<NewPageProps>;
  NewBatchPage: ComponentType<NewPageProps>;
  /** Loads the code of the pages and the view, so that they open while the server is unreachable. */
  preload(): Promise<unknown>;
  loadView(): Promise<KindView>;
}

export interface NewPageProps {
  /** Stands above the page's title: the way to other kinds. */
  above: ReactNode;
}

/** How jobs of a kind are shown. A part that is absent, or returns `undefined`, is as for any kind. */
export interface KindView {
  /** The thing that a job makes, in sentences: "This article needs your decision". */
  noun: string;
  /** Names and values of an input, in words. */
  inputRows?(input: unknown): [string, string][] | undefined;
  /** The query of `NewJobPage` with this input filled in. */
  queryOf?(input: unknown): string | undefined;
  /** A sentence that says what happens before the first text of a draft. */
  beforeDraft?: string;
  output?(output: unknown): OutputView | undefined;
  /** True where the same input will most likely fail again with this error. */
  isLasting?(error: NonNullable<Job["error"]>): boolean;
}

export interface OutputView {
  shown: ReactNode;
  /** A sentence that helps to decide about a job that is blocked. */
  advice?: string | undefined;
}

export const ANY_KIND: KindView = { noun: "job" };
