/** A part of a YAML text that a word is found in: its lines, what stands above them and below. */

function depth(line: string): number {
  return line.search(/\S|$/);
}

/** Lines with all words, with the keys that they stand under and what belongs to them; all without words. */
export function filteredYaml(text: string, searched: string): string {
  const words = searched.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return text;
  const lines = text.split("\n");
  const kept = new Set<number>();
  for (const [at, line] of lines.entries()) {
    const lower = line.toLowerCase();
    if (!words.every((word) => lower.includes(word))) continue;
    keepAbove(lines, at, kept);
    keepBelow(lines, at, kept);
  }
  return lines.filter((_, at) => kept.has(at)).join("\n");
}

function keepAbove(lines: string[], at: number, kept: Set<number>): void {
  kept.add(at);
  let level = depth(lines[at] ?? "");
  let isItem = (lines[at] ?? "").trimStart().startsWith("- ");
  for (let above = at - 1; above >= 0 && (level > 0 || isItem); above -= 1) {
    const line = lines[above] ?? "";
    const isKey = line.trim() !== "" && !line.trimStart().startsWith("- ");
    // The items of a list stand as deep as its key.
    if (depth(line) < level || (isItem && isKey && depth(line) === level)) {
      kept.add(above);
      level = depth(line);
      isItem = line.trimStart().startsWith("- ");
    }
  }
}

function keepBelow(lines: string[], at: number, kept: Set<number>): void {
  const own = lines[at] ?? "";
  const opensList = own.trimEnd().endsWith(":");
  for (let below = at + 1; below < lines.length; below += 1) {
    const line = lines[below] ?? "";
    const isItem = opensList && line.trimStart().startsWith("- ") && depth(line) === depth(own);
    if (depth(line) <= depth(own) && !isItem) return;
    kept.add(below);
  }
}
