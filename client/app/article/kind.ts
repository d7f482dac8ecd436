/** The article kind's parts of the page. Small: what needs a library is loaded when it is shown. */
import { lazy } from "react";
import type { KindParts } from "#client/app/kind-parts.ts";

const loadNewJobPage = () => import("./new-job-page.tsx");
const loadNewBatchPage = () => import("./new-batch-page.tsx");

const loadView = async () => (await import("./view.tsx")).view;

const REQUIRED = ["publisherDomain", "targetUrl", "anchorText"];

export const article: KindParts = {
  fits({ input: { required } }) {
    return Array.isArray(required) && REQUIRED.every((name) => required.includes(name));
  },
  invitation:
    "Ask for an article and watch it being written. The form is filled in with sample pages, so it works at once.",
  NewJobPage: lazy(loadNewJobPage),
  NewBatchPage: lazy(loadNewBatchPage),
  preload: () => Promise.all([loadNewJobPage(), loadNewBatchPage(), loadView()]),
  loadView,
};
