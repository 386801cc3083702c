/** Times below an axis: the day where one begins, else hours and minutes, with seconds where they are told apart. */

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Words for places of an axis, in seconds since 1970. */
export function axisTimes(places: number[], increment: number): string[] {
  return places.map((place) => {
    const at = new Date(place * 1000);
    const isMidnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (isMidnight) return day.format(at);
    return (increment < 60 ? seconds : minutes).format(at);
  });
}
