/** What axe finds on a page, by the rules of WCAG 2.2 AA and those of good practice. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

type Where = {
  /** Only there; the whole page, where it isn't said. */
  within?: string;
  /** Rules that are left out, which needs a reason. */
  without?: string[];
};

export async function violations(page: Page, { within, without = [] }: Where = {}): Promise<string[]> {
  const axe = new AxeBuilder({ page }).withTags(RULES).disableRules(without);
  const { violations } = await (within ? axe.include(within) : axe).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}
