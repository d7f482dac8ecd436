import type { ComponentProps } from "react";
import { Link } from "wouter";

type Tone = "primary" | "plain" | "danger";

const SHAPE =
  "inline-flex items-center justify-center gap-1.5 rounded-lg px-3 py-1.5 text-sm font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55";

const TONE: Record<Tone, string> = {
  primary: "bg-accent text-accent-ink hover:opacity-90",
  plain: "border border-line bg-card text-ink hover:bg-sunken",
  danger: "border border-line bg-card text-bad hover:border-bad hover:bg-bad-soft",
};

export function Button({
  tone = "plain",
  className = "",
  type = "button",
  ...rest
}: ComponentProps<"button"> & { tone?: Tone }) {
  // oxlint-disable-next-line react/button-has-type -- `type` defaults to "button"
  return <button type={type} className={`${SHAPE} ${TONE[tone]} ${className}`} {...rest} />;
}

/** Leads out of the page, to an address of the server. */
export function ButtonAnchor({
  tone = "plain",
  className = "",
  children,
  ...rest
}: ComponentProps<"a"> & { tone?: Tone }) {
  return (
    <a className={`${SHAPE} ${TONE[tone]} ${className}`} {...rest}>
      {children}
    </a>
  );
}

export function ButtonLink(props: { href: string; tone?: Tone; children: React.ReactNode }) {
  return (
    <Link href={props.href} className={`${SHAPE} ${TONE[props.tone ?? "plain"]}`}>
      {props.children}
    </Link>
  );
}
