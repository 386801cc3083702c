import { expect, test } from "vitest";
import { folded, lineAsText, prettyJson } from "./line.ts";

test("a message that is JSON is indented, any other stays", () => {
  expect(prettyJson('{"order":7,"state":"late"}')).toBe('{\n  "order": 7,\n  "state": "late"\n}');
  for (const other of ["{not json}", "7", '"text"', "[worker-1] started"]) {
    expect(prettyJson(other)).toBeNull();
  }
});

test("a stack trace is folded to what was thrown and what caused it", () => {
  const stack = "a.B: late\n\tat a.C.d(C.java:1)\nCaused by: e.F: slow\n\tat e.G.h(G.java:2)\n";
  expect(folded(stack)).toEqual({ first: "a.B: late", causes: ["Caused by: e.F: slow"], lines: 4 });
});

test("a copied line has everything that tells it from others", () => {
  const line = {
    time: "2026-11-23T07:33:18.477Z",
    level: "WARN" as const,
    logger: "demo.Backend",
    message: "late",
    exception: "a.B",
    stack_trace: null,
    trace_id: "52c2",
    span_id: null,
    cut: false,
  };
  expect(lineAsText(line)).toBe("2026-11-23T07:33:18.477Z WARN demo.Backend [52c2] late\na.B");
  expect(lineAsText({ ...line, logger: null, trace_id: null, stack_trace: "a.B: late\n\tat a.C\n" })).toBe(
    "2026-11-23T07:33:18.477Z WARN late\na.B: late\n\tat a.C",
  );
});
