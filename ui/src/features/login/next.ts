/** Where one goes after the log-in: a path of these pages, whatever the address says. */

/** The path, query and fragment of `next`; the overview for anything that could lead elsewhere. */
export function pathOf(next: string | undefined): string {
  if (!next?.startsWith("/")) return "/";
  const here = "http://here.invalid";
  let url: URL;
  try {
    url = new URL(next, here);
  } catch {
    return "/";
  }
  // Browsers read "//name", "/\name" and "/<tab>/name" as another host.
  if (url.origin !== here || url.pathname.startsWith("//")) return "/";
  if (/^\/login\/?$/.test(url.pathname)) return "/";
  return url.pathname + url.search + url.hash;
}
