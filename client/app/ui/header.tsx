import { type LucideIcon, Moon, Plus, Sun, SunMoon } from "lucide-react";
import { useState } from "react";
import { Link, useRoute } from "wouter";
import { addressOf } from "#client/app/base.ts";
import { useOwners } from "#client/app/use-owners.ts";
import { useMe } from "#client/app/use-me.ts";
import { chooseTheme, chosenTheme, type ThemeChoice } from "#client/app/theme.ts";
import { Account } from "./account.tsx";
import { ButtonLink } from "./button.tsx";
import { Faces } from "./faces.tsx";
import { ConnectionBadge } from "./connection-badge.tsx";

export function Header() {
  const { search } = useOwners();
  const { has } = useMe();
  return (
    <header className="sticky top-0 z-20 border-b border-line bg-card">
      <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-1 gap-y-1 px-4 py-2 sm:gap-x-5 sm:px-6">
        <Link href="/" className="flex items-center gap-2 font-semibold tracking-tight">
          <img src={addressOf("/favicon.svg")} alt="" className="size-6" />
          Jobwire
        </Link>
        <nav aria-label="Main" className="order-3 flex w-full sm:gap-1 sm:order-none sm:w-auto">
          <NavLink href="/" search={search} pattern="/jobs/*?">
            Jobs
          </NavLink>
          <NavLink href="/batches" search={search} pattern="/batches/*?">
            Batches
          </NavLink>
          <NavLink href="/schedules" search={search} pattern="/schedules/*?">
            Schedules
          </NavLink>
          {has("operator") && (
            <NavLink href="/workers" pattern="/workers">
              Workers
            </NavLink>
          )}
          <NavLink href="/console" pattern="/console">
            Console
          </NavLink>
        </nav>
        <div className="ml-auto flex items-center gap-1 sm:gap-2">
          <Faces className="mr-1 hidden md:flex" />
          <ConnectionBadge />
          <ThemeToggle />
          <Account />
          <ButtonLink href="/jobs/new" tone="primary">
            <Plus aria-hidden className="size-4" />
            New job
          </ButtonLink>
        </div>
      </div>
    </header>
  );
}

function NavLink(props: { href: string; search?: string; pattern: string; children: string }) {
  const [below] = useRoute(props.pattern);
  const [exact] = useRoute(props.href);
  const active = below || exact;
  return (
    <Link
      href={props.href + (props.search ?? "")}
      aria-current={active ? "page" : undefined}
      className={`rounded-md px-1.5 py-1.5 text-sm font-medium transition-colors sm:px-3 ${
        active ? "bg-sunken text-ink" : "text-muted hover:bg-sunken hover:text-ink"
      }`}
    >
      {props.children}
    </Link>
  );
}

const THEMES: Record<ThemeChoice, { Icon: LucideIcon; next: ThemeChoice; says: string }> = {
  system: { Icon: SunMoon, next: "light", says: "same as the system" },
  light: { Icon: Sun, next: "dark", says: "light" },
  dark: { Icon: Moon, next: "system", says: "dark" },
};

export function ThemeToggle() {
  const [theme, setTheme] = useState(chosenTheme);
  const { Icon, next, says } = THEMES[theme];
  const label = `Theme: ${says}. Change to: ${THEMES[next].says}`;
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="rounded-md p-2 text-muted transition-colors hover:bg-sunken hover:text-ink"
      onClick={() => {
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <Icon aria-hidden className="size-4" />
    </button>
  );
}
