// Shows openapi.json: operations by subject, their parameters, bodies and answers, and schemas
// unfolded. Whatever the document or an answer says becomes text, never markup.
"use strict";

const METHODS = ["get", "post", "put", "delete"];
const SHOWN_CHARS_MAX = 200000;

// An element with a class and children; texts become text nodes.
function element(name, about, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const text = (name, kind, words) => element(name, kind ? { class: kind } : {}, words);

// Words with what stands between backticks as code.
const phrase = (words) => words.split("`").map((part, at) => (at % 2 ? text("code", "", part) : part));

// A path that may be broken before a slash.
const breakable = (path) => path.split("/").flatMap((part, at) => (at > 1 ? [element("wbr"), `/${part}`] : at ? [`/${part}`] : []));

function resolved(api, schema) {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? { name, schema: api.components.schemas[name] || {} } : { name: null, schema: schema || {} };
}

// A schema in a few words: its type, the words it may be, its range.
function kindOf(api, given) {
  const { name, schema } = resolved(api, given);
  const any = schema.oneOf || schema.anyOf;
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (any) return any.map((one) => kindOf(api, one)).join(" | ");
  if (schema.type === "array") return `list of ${kindOf(api, schema.items)}`;
  if (schema.allOf || schema.properties) return name || "object";
  let words = [].concat(schema.type || "anything").join(" | ");
  if (schema.format) words += ` (${schema.format})`;
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    words += ` of ${kindOf(api, schema.additionalProperties)}`;
  }
  return words + rangeOf(schema);
}

function rangeOf(schema) {
  const parts = [];
  const range = (from, to, unit) => {
    if (from !== undefined && to !== undefined) parts.push(`${from} to ${to}${unit}`);
    else if (from !== undefined) parts.push(`at least ${from}${unit}`);
    else if (to !== undefined) parts.push(`at most ${to}${unit}`);
  };
  range(schema.minimum, schema.maximum, "");
  range(schema.minLength, schema.maxLength, " characters");
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.length ? `, ${parts.join(", ")}` : "";
}

// The parts of a schema that have fields of their own, each unfolded when it is opened.
function partsOf(api, given) {
  const { name, schema } = resolved(api, given);
  if (schema.properties) return [{ name, schema }];
  if (schema.items) return partsOf(api, schema.items);
  const several = schema.allOf || schema.oneOf || schema.anyOf || [];
  const values = schema.additionalProperties;
  const within = typeof values === "object" ? [values] : [];
  return [...several, ...within].flatMap((one) => partsOf(api, one));
}

function fieldsOf(api, schema) {
  const fields = element("div", { class: "fields" });
  for (const [name, field] of Object.entries(schema.properties)) {
    const needed = (schema.required || []).includes(name);
    const about = field.description || resolved(api, field).schema.description;
    fields.append(
      element(
        "div",
        { class: "field" },
        text("code", "", name),
        " ",
        text("span", "kind", kindOf(api, field)),
        needed ? null : text("span", "soft", " may be left out"),
        ...(about ? phrase(`: ${about}`) : []),
        ...unfolded(api, field),
      ),
    );
  }
  return fields;
}

function unfolded(api, given) {
  return partsOf(api, given).map(({ name, schema }) => {
    const details = element("details", {}, text("summary", "soft", name || "fields"));
    details.addEventListener(
      "toggle",
      () => {
        if (schema.description) details.append(element("p", { class: "soft" }, ...phrase(schema.description)));
        details.append(fieldsOf(api, schema));
      },
      { once: true },
    );
    return details;
  });
}

function contentsOf(api, content) {
  return Object.entries(content || {}).flatMap(([type, { schema }]) => [
    element("div", {}, text("code", "", type), " ", text("span", "kind", schema ? kindOf(api, schema) : "")),
    ...unfolded(api, schema),
  ]);
}

function parametersOf(api, operation, inputs) {
  const rows = (operation.parameters || []).map((parameter) => {
    const schema = parameter.schema || {};
    const about = [parameter.description, schema.description || resolved(api, schema).schema.description];
    const input = inputs && element("input", { "aria-label": parameter.name });
    if (input) {
      const example = parameter.example ?? schema.default ?? "";
      input.placeholder = String(example);
      inputs.push({ parameter, input });
    }
    return element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        text("code", "", parameter.name),
        parameter.required ? text("div", "required", "needed") : null,
        text("div", "soft", parameter.in),
      ),
      element("td", {}, text("span", "kind", kindOf(api, schema)), element("div", {}, ...phrase(about.filter(Boolean).join(" ")))),
      input ? element("td", {}, input) : null,
    );
  });
  return rows.length ? [text("h4", "", "Parameters"), element("div", { class: "wide" }, element("table", {}, ...rows))] : [];
}

// Answers that every operation of a method may give.
function everywhereOf(operations) {
  const alike = (answer) => (one) => one.responses[answer[0]]?.description === answer[1].description;
  const [first, ...others] = operations;
  const answers = others.length ? Object.entries(first.responses) : [];
  return new Set(answers.filter((answer) => others.every(alike(answer))).map(([status]) => status));
}

function answersOf(api, operation, everywhere) {
  const table = (answers) =>
    element(
      "div",
      { class: "wide" },
      element(
        "table",
        {},
        ...answers.map(([status, answer]) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, text("code", "", status)),
            element("td", {}, element("div", {}, ...phrase(answer.description)), ...contentsOf(api, answer.content)),
          ),
        ),
      ),
    );
  const all = Object.entries(operation.responses);
  const own = all.filter(([status]) => !everywhere.has(status));
  const shared = all.filter(([status]) => everywhere.has(status));
  const folded = element("details", {}, text("summary", "soft", `${shared.map(([status]) => status).join(", ")}: as everywhere`), table(shared));
  return [text("h4", "", "Answers"), table(own), shared.length ? folded : null];
}

// Where this page is served from, without its own path: a proxy may have put something in front.
const base = () => location.pathname.replace(/\/api\/v1\/docs\/?$/, "");

function addressOf(path, inputs) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    if (parameter.in === "query" && input.value !== "") query.append(parameter.name, input.value);
  }
  const asked = query.toString();
  return base() + filled + (asked ? `?${asked}` : "");
}

async function shown(answer) {
  const body = (await answer.text()).slice(0, SHOWN_CHARS_MAX);
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function trying(path, inputs) {
  const button = element("button", { type: "button" }, "Ask this server");
  const result = element("pre", { "aria-live": "polite" });
  result.hidden = true;
  button.addEventListener("click", async () => {
    const address = addressOf(path, inputs);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 35000);
    result.hidden = false;
    result.textContent = `GET ${address}\n…`;
    try {
      const answer = await fetch(address, { signal: stop.signal });
      result.textContent = `GET ${address}\n${answer.status} ${answer.statusText}\n\n${await shown(answer)}`;
    } catch (error) {
      result.textContent = `GET ${address}\nno answer: ${error}`;
    } finally {
      clearTimeout(timer);
    }
  });
  return [element("p", {}, button), result];
}

function articleOf(api, path, method, operation, everywhere) {
  const streams = Object.values(operation.responses).some((answer) => (answer.content || {})["text/event-stream"]);
  const inputs = method === "get" && !streams ? [] : null;
  const body = operation.requestBody;
  return element(
    "article",
    { id: operation.operationId },
    element("h3", {}, text("span", `method ${method}`, method.toUpperCase()), element("span", { class: "path" }, ...breakable(path))),
    element("p", {}, ...phrase(operation.summary || "")),
    operation.description ? element("p", { class: "soft" }, ...phrase(operation.description)) : null,
    ...parametersOf(api, operation, inputs),
    ...(body ? [text("h4", "", body.required ? "Body" : "Body, if any"), ...contentsOf(api, body.content)] : []),
    ...answersOf(api, operation, everywhere),
    ...(inputs ? trying(path, inputs) : []),
  );
}

// Every operation with its subject, in the order of the document.
function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path,
      method,
      operation: item[method],
      tag: (item[method].tags || ["other"])[0],
    })),
  );
}

function filtering(entries) {
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { about, parts } of entries) {
      const hidden = !words.every((word) => about.includes(word));
      for (const part of parts) part.hidden = hidden;
    }
  });
}

function show(api) {
  document.getElementById("about").replaceChildren(...phrase(`${api.info.version}. ${api.info.description}`));
  const index = document.getElementById("index");
  const main = document.getElementById("operations");
  const all = operationsOf(api);
  const everywhere = Object.fromEntries(
    METHODS.map((method) => [method, everywhereOf(all.filter((one) => one.method === method).map((one) => one.operation))]),
  );
  const subjects = (api.tags || []).map((tag) => tag.name);
  const tags = [...new Set([...subjects, ...all.map((one) => one.tag)])];
  const entries = [];
  for (const tag of tags) {
    const ours = all.filter((one) => one.tag === tag);
    if (ours.length === 0) continue;
    const about = (api.tags || []).find((one) => one.name === tag);
    main.append(text("h2", "", tag), element("p", { class: "soft" }, ...phrase((about && about.description) || "")));
    const list = element("ul");
    for (const { path, method, operation } of ours) {
      const article = articleOf(api, path, method, operation, everywhere[method]);
      const link = element("a", { href: `#${operation.operationId}` }, text("span", `method ${method}`, method.toUpperCase()), ...breakable(path));
      const item = element("li", {}, link);
      list.append(item);
      main.append(article);
      const words = `${method} ${path} ${tag} ${operation.summary || ""}`.toLowerCase();
      entries.push({ about: words, parts: [article, item] });
    }
    index.append(text("strong", "", tag), list);
  }
  filtering(entries);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch(`${base()}/api/v1/openapi.json`)
  .then((answer) => {
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.json();
  })
  .then(show)
  .catch((error) => {
    const about = document.getElementById("about");
    about.className = "failed";
    about.textContent = `openapi.json can't be shown: ${error}`;
  });
