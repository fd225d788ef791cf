// Keeps "3 minutes ago" true while a page stays open. Without this file it is true for when the page was drawn.
const STEPS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const words = (left) => {
  const step = STEPS.find(([length]) => Math.abs(left) >= length);
  if (!step) return "just now";
  const count = Math.floor(Math.abs(left) / step[0]);
  const said = `${count} ${step[1]}${count > 1 ? "s" : ""}`;
  return left > 0 ? `in ${said}` : `${said} ago`;
};
setInterval(() => {
  for (const each of document.querySelectorAll("time.ago")) {
    each.textContent = words((Date.parse(each.dateTime) - Date.now()) / 1000);
  }
}, 15000);
