/** Finds the names and labels that a PromQL expression of the rules or the dashboard uses. */

export interface Used {
  /** Metrics with the labels by which they are selected. */
  selectors: { metric: string; labels: string[] }[];
  /** Labels by which results are grouped. */
  grouping: string[];
}

const OWN = /^(?:jobwire_|process_|nodejs_|up$|ALERTS$)|:/;

export function usedBy(expr: string): Used {
  const grouping = [...expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(
    ([, labels = ""]) => labels.split(",").map((label) => label.trim()),
  );
  const selectors = [...expr.matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?/g)]
    .map(([, metric = "", matchers = ""]) => ({
      metric,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = ""]) => label),
    }))
    .filter(({ metric }) => OWN.test(metric));
  return { selectors, grouping };
}

export interface Rule {
  kind: "alert" | "record";
  name: string;
  expr: string;
  text: string;
}

/** Reads rules.yaml, of which each rule begins with its name. */
export function rulesIn(yaml: string): Rule[] {
  const parts = yaml.split(/^ +- (?=(?:alert|record): )/m).slice(1);
  return parts.map((text) => {
    const [, kind, name = ""] = /^(alert|record): (.+)$/m.exec(text) ?? [];
    const expr = /^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.+)\n)/m.exec(text);
    return { kind: kind as Rule["kind"], name, expr: expr?.[1] ?? expr?.[2] ?? "", text };
  });
}
