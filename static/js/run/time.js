// Times as the log shows them. The admin's own clock zone, 24 hours, whole seconds.

const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = { key: "", text: "" };

/** 12:04:10 of an ISO time. Formatting is slow, and neighbours share their second. */
export function clock(iso) {
  const key = iso.slice(0, 19);
  if (key !== minute.key) Object.assign(minute, { key, text: format.format(new Date(iso)) });
  return minute.text;
}

/** "+3:12" after the start of the run. */
export function since(iso, start) {
  return `+${duration((new Date(iso) - start) / 1000)}`;
}

/** 0:07, 3:12, 1:03:12. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
