import { expect, test } from "vitest";
import { checkFields, fieldsFrom, publisherOf, samplesOf } from "./form.ts";

const AT = "http://jobs.test:8000/jobs-ui";

test("the form starts with a sample, or with the values in its address", () => {
  expect(fieldsFrom("", AT)).toEqual(samplesOf(AT)[0].fields);
  expect(fieldsFrom("?job=1", AT)).toEqual(samplesOf(AT)[0].fields);
  expect(fieldsFrom("?anchorText=a+%26+b&country=SE&other=x", AT)).toEqual({
    publisherDomain: "",
    targetUrl: "",
    anchorText: "a & b",
    llmProvider: "auto",
    writingStrategy: "multi_stage",
    country: "SE",
  });
});

test("an unknown choice in the address is ignored", () => {
  const query = "?anchorText=x&llmProvider=pigeon&writingStrategy=single_shot";
  expect(fieldsFrom(query, AT)).toMatchObject({
    llmProvider: "auto",
    writingStrategy: "single_shot",
  });
});

test("every sample is a valid input", () => {
  for (const { fields } of samplesOf(AT)) expect(checkFields(fields).errors).toBeUndefined();
});

test.each([
  ["https://example.com/", "example.com"],
  ["HTTP://example.com", "example.com"],
  [" example.com:8080/ ", "example.com:8080"],
  ["https://example.com/magazine/", "example.com/magazine/"],
  ["example.com", "example.com"],
])("a publisher pasted as %j is %j", (typed, publisher) => {
  expect(publisherOf(typed)).toBe(publisher);
});

test("text that is not a publisher stays unchanged", () => {
  const fields = { ...samplesOf(AT)[0].fields, publisherDomain: "https://" };
  expect(checkFields(fields).errors).toHaveProperty("publisherDomain");
});
