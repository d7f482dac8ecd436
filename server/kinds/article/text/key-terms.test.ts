import { expect, test } from "vitest";
import { keyTerms, termsIn } from "./key-terms.ts";

test("terms are ranked by frequency, the title counts most, and each is shown in its most frequent form", () => {
  const terms = keyTerms(
    {
      title: "Growing tomatoes",
      description: "",
      headings: ["Soil"],
      text: "The tomato is a plant. Tomatoes want light soil, and tomatoes want sun. The plant is thirsty in 2026.",
    },
    "en",
    3,
  );
  expect(terms[0]).toBe("tomatoes");
  expect(terms).toContain("soil");
  expect(terms).not.toContain("want");
});

test.each([
  ["en", "One tomato in a pot.", ["tomatoes"], ["tomatoes"]],
  ["en", "Watering cans.", ["water", "soil"], ["water"]],
  ["sv", "Lampan lyser på vägen.", ["lampor", "vägar", "batteri"], ["lampor", "vägar"]],
  ["de", "Lampen leuchten.", ["lampen", "lampe"], ["lampen"]],
])("inflected terms are found (%s): %s", (language, text, terms, found) => {
  expect(termsIn(text, terms, language)).toEqual(found);
});
