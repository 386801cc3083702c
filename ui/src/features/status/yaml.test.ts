import { expect, test } from "vitest";
import { filteredYaml } from "./yaml.ts";

const text = `tick: 5s
embedded:
  retention: 7d
  memory: 1GiB
identity:
- service
- application
logs:
- path: /var/log/{service}/app.json
  zone: UTC
metrics:
  lat:
    title: Latency p99
    valid:
    - 0.0
    - 3600000.0
  cpu:
    title: CPU`;

test("a line is found with the keys above it", () => {
  expect(filteredYaml(text, "retention")).toBe("embedded:\n  retention: 7d");
  expect(filteredYaml(text, "TITLE latency")).toBe("metrics:\n  lat:\n    title: Latency p99");
});

test("a key is found with what belongs to it", () => {
  expect(filteredYaml(text, "identity")).toBe("identity:\n- service\n- application");
  expect(filteredYaml(text, "valid:")).toBe("metrics:\n  lat:\n    valid:\n    - 0.0\n    - 3600000.0");
});

test("an item of a list is found with its key", () => {
  expect(filteredYaml(text, "application")).toBe("identity:\n- application");
  expect(filteredYaml(text, "zone")).toBe("logs:\n- path: /var/log/{service}/app.json\n  zone: UTC");
});

test("without words all is there, and nothing where nothing is found", () => {
  expect(filteredYaml(text, " ")).toBe(text);
  expect(filteredYaml(text, "nowhere")).toBe("");
});
