/** The form of a kind whose input has objects, lists, alternatives and records, filled in as a person does. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  faultsInAllLooks,
  faultsOf,
  openTestPage,
  type TestPage,
} from "#test/browser/page.fixture.ts";
import { launchBrowser } from "./browser.ts";
import { type KindsServer, startKinds } from "./kinds.fixture.ts";
import { createJob, headingBadge } from "./samples.ts";

let server: KindsServer;
let browser: Browser;
let opened: TestPage;
let page: Page;

beforeAll(async () => {
  server = await startKinds({}, ["orders"]);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  opened = await openTestPage(browser);
  page = opened.page;
  await page.goto(`${server.url}/jobs/new/orders`);
  await page.getByRole("heading", { name: "New job: orders" }).waitFor();
});
afterEach(() => opened.close());

const group = (name: string) => page.getByRole("group", { name, exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const create = () => button("Create job").click();
const focused = () => page.evaluate(() => document.activeElement?.getAttribute("id") ?? "");
const idOf = async (label: string) => (await page.getByLabel(label).getAttribute("id")) ?? "none";

async function inputOfJob(): Promise<unknown> {
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
  await headingBadge(page, "DELIVERED").waitFor();
  const id = page.url().split("/").at(-1);
  return page.evaluate(async (jobId) => {
    const query = encodeURIComponent(JSON.stringify({ json: { jobId } }));
    const response = await fetch(`/trpc/job.get?input=${query}`);
    const { result } = (await response.json()) as {
      result: { data: { json: { input: unknown } } };
    };
    return result.data.json.input;
  }, id);
}

async function fillInCustomer(): Promise<void> {
  await group("Customer").getByLabel("name").fill("Ann");
  await group("Customer").getByLabel("email").fill("ann@example.com");
}

test("a person fills in objects, lists of objects, a choice and a record, and the job has them all", async () => {
  await fillInCustomer();
  await group("Customer").getByLabel("birthday (optional)").fill("1990-02-03");
  await group("Line 1").getByLabel("Product").fill("Pot");
  await group("Line 1").getByRole("button", { name: "Add to notes" }).click();
  await page.keyboard.type("Blue");
  await button("Add to Line").click();
  await page.keyboard.type("Seeds");
  await group("Line 2").getByLabel("count").fill("12");

  await page.getByLabel("Delivery", { exact: true }).selectOption("post");
  await group("address").getByLabel("street").fill("Long Road 1");
  await group("address").getByLabel("city").fill("York");
  await button("Add gift").click();
  await page.keyboard.type("For you");
  await button("Add to labels").click();
  await page.keyboard.type("weight");
  await page.getByLabel("labels 1: value").fill("7");
  await create();
  expect(await inputOfJob()).toEqual({
    customer: { name: "Ann", email: "ann@example.com", birthday: "1990-02-03" },
    lines: [
      { product: "Pot", count: 1, notes: ["Blue"] },
      { product: "Seeds", count: 12 },
    ],
    delivery: { by: "post", address: { street: "Long Road 1", city: "York" } },
    gift: { message: "For you" },
    labels: { weight: 7 },
  });
});

test("the form shows the input of a job again, and sends the same one", async () => {
  const input = {
    customer: { name: "Bob", email: "bob@example.com" },
    lines: [{ product: "Pot", count: 2, notes: ["a", "b"] }],
    delivery: { by: "pickup", at: "2026-01-31T12:00:00Z" },
    labels: { one: 1, two: 2 },
  };
  await page.goto(`${server.url}/jobs/${await createJob(page, server.url, "orders", input)}`);
  await page.getByRole("link", { name: "New job with this input" }).click();
  await page.getByLabel("labels 2: name").waitFor();
  expect(await page.getByLabel("Delivery", { exact: true }).inputValue()).toBe("1");
  expect(await page.getByLabel("at (optional)").inputValue()).toMatch(/^2026-0[12]-\d\dT/);
  await create();
  await page.waitForURL((url) => !url.search.includes("from"));
  expect(await inputOfJob()).toEqual(input);
});

test("errors stand at the fields that they are about, however deep, and the first has the focus", async () => {
  await create();
  await group("Customer").getByText("Is missing").first().waitFor();
  expect(await focused()).toBe(await idOf("name"));
  expect(await page.getByText("Is missing").count()).toBe(4);

  await fillInCustomer();
  await group("Line 1").getByLabel("Product").fill("Pot");
  await group("Line 1").getByLabel("count").fill("100");
  await page.getByLabel("Delivery", { exact: true }).selectOption("pickup");
  await button("Add to labels").click();
  await create();
  await page.getByText("Is missing").first().waitFor();
  expect(await focused()).toBe(await idOf("labels 1: name"));

  await page.keyboard.type("a");
  await page.getByLabel("labels 1: value").fill("1");
  await create();
  await group("Line 1")
    .getByText(/^Too big.*99/)
    .waitFor();
  expect(await focused()).toBe(await idOf("count"));
  expect(await page.getByRole("alert").count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
});

test("a list has as many items as its schema takes, and the keyboard adds and removes them", async () => {
  expect(await button("Remove Line 1").isDisabled()).toBe(true);
  await button("Add to Line").focus();
  await page.keyboard.press("Enter");
  expect(await focused()).toBe(await group("Line 2").getByLabel("Product").getAttribute("id"));
  await page.keyboard.type("Second");
  await button("Add to Line").press("Enter");
  await page.keyboard.type("Third");
  expect(await button("Add to Line").isDisabled()).toBe(true);

  await button("Remove Line 2").press("Enter");
  expect(await group("Line 2").getByLabel("Product").inputValue()).toBe("Third");
  expect(await button("Add to Line").evaluate((one) => one === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  expect(await group("Line 3").getByLabel("Product").inputValue()).toBe("");

  await button("Add gift").press("Enter");
  await page.keyboard.type("x");
  await button("Remove gift").press("Enter");
  expect(await button("Add gift").evaluate((one) => one === document.activeElement)).toBe(true);
});

test("the form has no faults in either theme, on a phone and on a desktop", async () => {
  await button("Add to Line").click();
  await group("Line 1").getByRole("button", { name: "Add to notes" }).click();
  await button("Add gift").click();
  await button("Add to labels").click();
  await page.getByLabel("Delivery", { exact: true }).selectOption("post");
  await create();
  await page.getByText("Is missing").first().waitFor();
  expect(await faultsInAllLooks(page)).toEqual([]);
});
