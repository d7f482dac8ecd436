/** Light or dark: follows the system until the user chooses. */
export type Theme = "light" | "dark";
export type ThemeChoice = Theme | "system";

const KEY = "jobwire-theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): ThemeChoice {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice);
  applyTheme();
}

/** Runs before the first paint, and follows changes of the system's setting. */
export function startTheme(): void {
  DARK.addEventListener("change", applyTheme);
  applyTheme();
}

function applyTheme(): void {
  const choice = chosenTheme();
  const system: Theme = DARK.matches ? "dark" : "light";
  document.documentElement.dataset.theme = choice === "system" ? system : choice;
}
