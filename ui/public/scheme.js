// Light or dark before the first paint, as chosen here or by the system.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("bellwether.scheme");
  } catch {
    // Without storage the system decides.
  }
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
