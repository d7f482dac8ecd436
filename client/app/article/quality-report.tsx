/** An article's checks: in columns on wide screens, as blocks on narrow ones. */
import { CircleCheck, CircleMinus, CircleX, type LucideIcon, Wrench } from "lucide-react";
import { type QualityReport, type QualityRule, tally } from "#shared/article/article.ts";
import { Card } from "#client/app/ui/card.tsx";

const VERDICT: Record<
  QualityRule["verdict"],
  { word: string; Icon: LucideIcon; className: string }
> = {
  passed: { word: "Passed", Icon: CircleCheck, className: "text-good" },
  mended: { word: "Mended", Icon: Wrench, className: "text-accent" },
  failed: { word: "Failed", Icon: CircleX, className: "font-semibold text-bad" },
  skipped: { word: "Not needed", Icon: CircleMinus, className: "text-muted" },
};

export function QualityReportCard({ report }: { report: QualityReport }) {
  const mended = report.rules.filter(({ verdict }) => verdict === "mended").length;
  return (
    <Card title="Quality report">
      <p className="mb-3 text-sm text-muted">
        {tally(report.rules)}.{mended > 0 && ` ${mended} mended.`}
      </p>
      <div
        aria-hidden
        className={`${COLUMNS} hidden border-b border-line pb-2 text-xs text-muted sm:grid`}
      >
        {["Verdict", "Check", "Found", "Allowed"].map((head) => (
          <span key={head}>{head}</span>
        ))}
      </div>
      <ul className="divide-y divide-line text-sm">
        {report.rules.map((rule) => (
          <Check key={rule.id} rule={rule} />
        ))}
      </ul>
    </Card>
  );
}

function Check({ rule }: { rule: QualityRule }) {
  const { word, Icon, className } = VERDICT[rule.verdict];
  return (
    <li className={`${COLUMNS} grid grid-cols-[6.5rem_minmax(0,1fr)] py-2`}>
      <span
        className={`row-span-3 flex items-start gap-1.5 whitespace-nowrap sm:row-span-1 ${className}`}
      >
        <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
        {word}
      </span>
      <span>{rule.label}</span>
      <Value name="Found">{rule.figure}</Value>
      <Value name="Allowed">{rule.limit}</Value>
    </li>
  );
}

function Value(props: { name: string; children: string }) {
  return (
    <span className="min-w-0 break-words text-muted">
      <span className="sm:sr-only">{props.name}: </span>
      {props.children}
    </span>
  );
}

const COLUMNS = "gap-x-4 sm:grid-cols-[6.5rem_minmax(0,3fr)_minmax(0,2fr)_minmax(0,2fr)]";
