/** Words along the axes. */

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/**
 * Times, given in seconds since 1970: the day where one begins, else hours and minutes, with seconds
 * where they are told apart.
 */
export function axisTimes(places: number[], increment: number): string[] {
  return places.map((place) => {
    const at = new Date(place * 1000);
    const isMidnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (isMidnight) return day.format(at);
    return (increment < 60 ? seconds : minutes).format(at);
  });
}

/** Numbers with as many decimals as tell neighbours apart. */
export function axisNumbers(places: number[], increment: number): string[] {
  const decimals = Math.min(Math.max(-Math.floor(Math.log10(increment) + 1e-9), 0), 9);
  // 2.5 needs one more decimal than its first digit.
  const isWhole = Number.isInteger(Number((increment * 10 ** decimals).toFixed(6)));
  const digits = isWhole ? decimals : decimals + 1;
  const format = new Intl.NumberFormat("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return places.map((place) => (place === 0 ? "0" : format.format(place)));
}
