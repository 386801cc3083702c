/** Interaction to next paint, by real input: filters, lists and the way from page to page. */
import type { Page } from "playwright-core";
import { contextOf } from "../e2e/browser.ts";
import { figure, median, ms, quantile } from "./figures.ts";
import { server } from "./server.ts";
import { type Interaction, SHORTEST_MS, step, type Watched, watch, watched } from "./watch.ts";

const BAR_MS = 200;
const ROUNDS = 3;
/** As fast as people type who know what they want. */
const TYPED = { delay: 70 };
const PATIENCE_MS = 15_000;
/** Answers come meanwhile. */
const REST_MS = 600;
/** After this a long list is as far down as anybody scrolls. */
const WHEELS = 40;
const WHEEL_PX = 900;

interface Told extends Watched {
  inputs: number;
  switches: [name: string, took: number][];
}

export async function interactions(): Promise<void> {
  const rounds: Told[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await operate());
  const all = rounds.flatMap((round) => round.interactions);
  const inputs = rounds.reduce((sum, round) => sum + round.inputs, 0);
  if (all.length === 0) throw new Error("the browser told of no interaction");
  for (const [name, of] of grouped(all)) {
    const took = of.map(({ took }) => took);
    console.log(
      `${name}: ${of.length} of ${SHORTEST_MS} ms or more, median ${ms(median(took))}, worst ${ms(Math.max(...took))}`,
    );
    if (process.env.INTERACTIONS === "all") for (const one of of) console.log(`  ${told(one)}`);
  }
  const switches = rounds.flatMap((round) => round.switches);
  for (const name of new Set(switches.map(([name]) => name))) {
    const took = switches.filter(([other]) => other === name).map(([, took]) => took);
    console.log(`${name}: until the page has its data ${took.map(ms).join(", ")}`);
  }
  const [worst] = all.toSorted((a, b) => b.took - a.took);
  const parts: [what: string, of: Interaction[]][] = [
    ["page switches", all.filter(({ step }) => step.startsWith("to "))],
    ["filters, sorting, lists and keys", all.filter(({ step }) => !step.startsWith("to "))],
  ];
  for (const [what, of] of parts) {
    const took = of.map(({ took }) => took);
    const [slowest] = of.toSorted((a, b) => b.took - a.took);
    await figure(
      `interaction to next paint, ${what}`,
      slowest
        ? `worst ${told(slowest)}; median of the ${of.length} that take ${SHORTEST_MS} ms or more ${ms(median(took))}`
        : `all below ${SHORTEST_MS} ms`,
      `worst ≤ ${BAR_MS} ms`,
      (slowest?.took ?? 0) <= BAR_MS,
    );
  }
  const shown = switches.map(([, took]) => took);
  await figure(
    "page switch until the page has its data",
    `median ${ms(median(shown))}, p95 ${ms(quantile(shown, 0.95))}, worst ${ms(Math.max(...shown))} of ${shown.length}`,
    "none",
    shown.length > 0,
  );
  const tasks = rounds.flatMap((round) => round.tasks).toSorted((a, b) => b.took - a.took);
  const [longest] = tasks;
  await figure(
    "tasks of more than 50 ms meanwhile",
    longest
      ? `${tasks.length} in ${ROUNDS} rounds of ${Math.round(inputs / ROUNDS)} inputs, longest ${ms(longest.took)} (${longest.step}); while scrolling ${tasks.filter(({ step }) => step.includes("scroll")).length}`
      : "none",
    "none",
    worst !== undefined,
  );
}

function told({ step, event, took, worked }: Interaction): string {
  return `${ms(took)} (${step}, ${event}, ${ms(worked)} of it in handlers)`;
}

function grouped(all: Interaction[]): Map<string, Interaction[]> {
  const groups = new Map<string, Interaction[]>();
  for (const one of all) groups.set(one.step, [...(groups.get(one.step) ?? []), one]);
  return groups;
}

/** Once through everything, in one document. */
async function operate(): Promise<Told> {
  const context = await contextOf({});
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await watch(page);
  await page.goto(`${server()}/ui/`);
  const hand = new Hand(page);
  await hand.has("[data-row]");
  await overview(hand);
  await incidents(hand);
  await incident(hand);
  await service(hand);
  await logs(hand);
  await models(hand);
  await status(hand);
  await hand.goes("to the overview by keys", "[data-row]", () => hand.keys("g", "o"));
  await hand.goes("to the status by the way back", "h2:has-text('Parts')", () => page.goBack());
  const told = { ...(await watched(page)), inputs: hand.inputs, switches: hand.switches };
  await context.close();
  return told;
}

/** Keys and clicks as they are counted. */
class Hand {
  inputs = 0;
  readonly switches: [name: string, took: number][] = [];

  constructor(readonly page: Page) {}

  async does(name: string): Promise<void> {
    await this.rest();
    await step(this.page, name);
  }

  rest(): Promise<void> {
    return this.page.waitForTimeout(REST_MS);
  }

  has(selector: string): Promise<void> {
    return this.page.locator(selector).first().waitFor();
  }

  async click(selector: string): Promise<void> {
    this.inputs += 1;
    await this.page.locator(selector).first().click();
  }

  async keys(...keys: string[]): Promise<void> {
    for (const key of keys) {
      this.inputs += 1;
      await this.page.keyboard.press(key, { delay: 20 });
    }
  }

  async types(text: string): Promise<void> {
    this.inputs += text.length;
    await this.page.keyboard.type(text, TYPED);
    await this.rest();
  }

  /** Takes back what was typed, letter by letter. */
  async erases(count: number): Promise<void> {
    for (let letter = 0; letter < count; letter++) {
      await this.keys("Backspace");
      await this.page.waitForTimeout(TYPED.delay);
    }
    await this.rest();
  }

  /** Goes through the choices of a select by the keyboard. */
  async chooses(selector: string, times: number): Promise<void> {
    await this.page.locator(selector).first().focus();
    for (let choice = 0; choice < times; choice++) {
      await this.keys("ArrowDown");
      await this.rest();
    }
  }

  async scrolls(times: number): Promise<void> {
    await this.page.mouse.move(600, 500);
    for (let turn = 0; turn < times; turn++) {
      await this.page.mouse.wheel(0, WHEEL_PX);
      await this.page.waitForTimeout(50);
    }
    await this.rest();
  }

  /** To another page, until it has what it is about. */
  async goes(name: string, ready: string, go: () => Promise<unknown>): Promise<void> {
    await this.does(name);
    const began = await this.page.evaluate(() => performance.now());
    await go();
    await this.has(ready);
    const ended = await this.page.evaluate(
      () => new Promise<number>((done) => requestAnimationFrame(() => done(performance.now()))),
    );
    this.switches.push([name, ended - began]);
  }
}

async function overview(hand: Hand): Promise<void> {
  const filter = "input[type=search]";
  await hand.does("overview: opening the filter");
  await hand.click(filter);
  await hand.does("overview: typing in the filter, grid");
  await hand.types("catalog");
  await hand.does("overview: erasing the filter, grid");
  await hand.erases(7);
  await hand.does("overview: choosing states");
  await hand.click("button[aria-pressed]:has-text('Normal')");
  await hand.rest();
  await hand.click("button[aria-pressed]:has-text('Normal')");
  await hand.does("overview: choosing the table");
  await hand.click("label:has-text('Table')");
  await hand.has("th[scope=row]");
  await hand.does("overview: typing in the filter, table");
  await hand.click(filter);
  await hand.types("search");
  await hand.does("overview: erasing the filter, table");
  await hand.erases(6);
  await hand.does("overview: range of the strip");
  await hand.click("section[aria-labelledby=moved] button[aria-label='last 24 hours']");
  await hand.does("overview: scrolling the table");
  await hand.scrolls(10);
  await hand.page.mouse.wheel(0, -20_000);
  await hand.does("overview: choosing the grid");
  await hand.click("label:has-text('Grid')");
  await hand.does("overview: j and k");
  await hand.keys(..."jjjjjkkk");
}

async function incidents(hand: Hand): Promise<void> {
  const row = "tr[aria-rowindex='2'] a";
  await hand.goes("to the incidents", row, () => hand.click("nav >> text=Incidents"));
  await hand.does("incidents: choosing a severity");
  await hand.chooses("role=combobox[name=Severity]", 2);
  await hand.does("incidents: choosing a status");
  await hand.chooses("role=combobox[name=Status]", 4);
  await hand.does("incidents: typing a text");
  await hand.click("search input");
  await hand.types("latency");
  await hand.does("incidents: erasing the text");
  await hand.erases(7);
  await hand.does("incidents: clearing the filter");
  await hand.click("text=Clear filter");
  await hand.chooses("role=combobox[name=Status]", 4);
  await hand.has(row);
  await hand.does("incidents: scrolling to thousands");
  await hand.scrolls(WHEELS);
  await hand.does("incidents: j and k among thousands");
  await hand.keys(..."jjjjjjjjjj", ..."kkkkk");
  await hand.does("incidents: selecting among thousands");
  await hand.click("tbody input[type=checkbox] >> nth=20");
  await hand.rest();
  await hand.click("thead input[type=checkbox]");
  await hand.rest();
  await hand.click("text=Select none");
  await hand.does("incidents: sorting by severity");
  await hand.page.evaluate(() => window.scrollTo(0, 0));
  await hand.rest();
  await hand.click("thead button:has-text('State')");
  await hand.rest();
  await hand.does("incidents: sorting by service");
  await hand.click("thead button:has-text('Service')");
  await hand.rest();
  await hand.click("text=Clear filter");
  await hand.has(row);
}

async function incident(hand: Hand): Promise<void> {
  await hand.goes("to an incident", "h2:has-text('Timeline')", () => hand.click("tr[aria-rowindex='3'] a"));
  await hand.does("incident: unfolding");
  for (const at of [0, 1, 2]) {
    const fold = hand.page.locator("main summary:visible").nth(at);
    if (!(await fold.count())) continue;
    hand.inputs += 1;
    await fold.click();
  }
}

async function service(hand: Hand): Promise<void> {
  await hand.does("search: opening and typing");
  await hand.page.locator("h1").first().click();
  await hand.keys("/");
  await hand.has("[role=listbox]");
  await hand.types("stock");
  await hand.keys("ArrowDown", "ArrowDown");
  await hand.goes("to a service", "section[aria-labelledby=history] canvas", () => hand.keys("Enter"));
  await hand.does("service: choosing a range");
  await hand.click("section[aria-labelledby=history] button[aria-label='last 6 hours']");
  await hand.rest();
  await hand.click("section[aria-labelledby=history] button[aria-label='last hour']");
}

async function logs(hand: Hand): Promise<void> {
  await hand.goes("to the logs", "section[aria-label=Lines]", () => hand.click("nav >> text=Logs"));
  await hand.does("logs: choosing a level");
  await hand.chooses("role=combobox[name=Level]", 2);
  await hand.does("logs: typing a text");
  await hand.click("form input:not([type])");
  await hand.types("timeout");
}

async function models(hand: Hand): Promise<void> {
  await hand.goes("to the models", "section[aria-label=Models] tbody tr[aria-rowindex]", () =>
    hand.click("nav >> text=Models"),
  );
  await hand.does("models: typing a filter");
  await hand.click("search input");
  await hand.types("pricing");
  await hand.does("models: erasing the filter");
  await hand.erases(7);
  await hand.does("models: sorting");
  await hand.click("thead button >> nth=2");
  await hand.rest();
  await hand.does("models: scrolling");
  await hand.scrolls(12);
  await hand.page.evaluate(() => window.scrollTo(0, 0));
  await hand.does("models: unfolding one");
  await hand.click("tbody button[aria-expanded]");
}

async function status(hand: Hand): Promise<void> {
  await hand.goes("to the status", "h2:has-text('Parts')", () => hand.click("nav >> text=Status"));
  await hand.does("status: scrolling");
  await hand.scrolls(8);
  await hand.page.evaluate(() => window.scrollTo(0, 0));
}
