/** The frame around every page, and the routes. */
import { Component, lazy, type MouseEvent, type ReactNode, Suspense, useEffect } from "react";
import { Route, Switch, useLocation, useSearch } from "wouter";
import { basePath } from "./base.ts";
import { BatchPage } from "./pages/batch-page.tsx";
import { BatchesPage } from "./pages/batches-page.tsx";
import { JobPage } from "./pages/job-page.tsx";
import { JobsPage } from "./pages/jobs-page.tsx";
import { JobsOfSchedulePage } from "./pages/jobs-of-schedule-page.tsx";
import { NewBatchPage, NewJobPage } from "./pages/new-page.tsx";
import { NotFoundPage } from "./pages/not-found-page.tsx";
import { NewSchedulePage } from "./pages/new-schedule-page.tsx";
import { SchedulesPage } from "./pages/schedules-page.tsx";
import { WorkersPage } from "./pages/workers-page.tsx";
import { partsOf } from "./kinds.ts";
import { Header } from "./ui/header.tsx";
import { Notice } from "./ui/notice.tsx";
import { PauseBanner } from "./ui/pause-banner.tsx";
import { StaleBanner } from "./ui/stale-banner.tsx";
import { Skeleton } from "./ui/skeleton.tsx";
import { useKinds } from "./use-kinds.ts";

// Loaded on demand: it depends on a library that the others do not use.
const loadConsolePage = () => import("./pages/console-page.tsx");
const ConsolePage = lazy(loadConsolePage);

/** Preloads the remaining pages, so that they open while the server is unreachable. */
export function loadRest(): void {
  // A page that fails to load now is requested again when it is opened.
  loadConsolePage().catch(() => {});
}

/** The same for the pages of the server's kinds. */
function useKindPages(): void {
  const { kinds } = useKinds();
  useEffect(() => {
    for (const info of kinds ?? []) {
      partsOf(info)
        ?.preload()
        .catch(() => {});
    }
  }, [kinds]);
}

export function App() {
  const [path] = useLocation();
  const search = useSearch();
  useKindPages();
  return (
    <>
      <a
        // A fragment alone would lead to the page's base, not to the place on this page.
        href={`${basePath}${path}${search === "" ? "" : `?${search}`}#main`}
        onClick={skip}
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-card focus:px-3 focus:py-2"
      >
        Skip to the content
      </a>
      <Header />
      <StaleBanner />
      <PauseBanner />
      <main id="main" tabIndex={-1} className="mx-auto w-full max-w-6xl px-4 pt-6 pb-24 sm:px-6">
        <Boundary key={path}>
          <Suspense fallback={<Skeleton rows={6} />}>
            <Switch>
              <Route path="/" component={JobsPage} />
              <Route path="/jobs/new/:kind?">
                {({ kind }) => <NewJobPage key={kind} kind={kind} />}
              </Route>
              <Route path="/jobs/:id">{({ id }) => <JobPage key={id} jobId={id} />}</Route>
              <Route path="/batches" component={BatchesPage} />
              <Route path="/batches/new/:kind?">
                {({ kind }) => <NewBatchPage key={kind} kind={kind} />}
              </Route>
              <Route path="/batches/:id">{({ id }) => <BatchPage key={id} batchId={id} />}</Route>
              <Route path="/schedules" component={SchedulesPage} />
              <Route path="/schedules/new" component={NewSchedulePage} />
              <Route path="/schedules/:id/jobs">
                {({ id }) => <JobsOfSchedulePage key={id} scheduleId={id} />}
              </Route>
              <Route path="/workers" component={WorkersPage} />
              <Route path="/console" component={ConsolePage} />
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </main>
    </>
  );
}

/** Without a navigation, which would reload what depends on the address. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** Keeps the frame when a page throws. */
class Boundary extends Component<{ children: ReactNode }, { message: string | undefined }> {
  override state = { message: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.message === undefined) return this.props.children;
    return (
      <Notice tone="bad" title="This page crashed">
        <p>{this.state.message}</p>
        <p>
          <a className="underline" href={location.href}>
            Load it again
          </a>
          . Jobs keep running meanwhile, and no data is lost.
        </p>
      </Notice>
    );
  }
}
