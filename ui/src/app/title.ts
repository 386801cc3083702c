/** What the browser's tab and history call a page. */

const NAMES: Record<string, string> = {
  "": "Overview",
  incidents: "Incidents",
  logs: "Logs",
  models: "Models & data",
  status: "Status",
  login: "Log in",
};

/** "payments, Bellwether" for "/services/payments". */
export function titleOf(path: string): string {
  const [page = "", name] = path.replace(/^\/|\/$/g, "").split("/");
  if (page === "services" && name) return `${decoded(name)}, Bellwether`;
  if (page === "incidents" && name) return `Incident #${decoded(name)}, Bellwether`;
  return Object.hasOwn(NAMES, page) ? `${NAMES[page]}, Bellwether` : "Bellwether";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
