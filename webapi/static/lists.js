// The list asks for itself again while something in it goes on: not while nobody looks, not while somebody chooses.
const live = document.getElementById("live");
live.closest("label").hidden = false;
live.checked = localStorage.getItem("live") !== "off";
live.addEventListener("change", () => localStorage.setItem("live", live.checked ? "on" : "off"));

const boxes = () => [...document.querySelectorAll("#rows [name=id]")];
const chooseAll = () => {
  const all = document.getElementById("all");
  if (all) all.hidden = false;
};
chooseAll();
document.addEventListener("htmx:after:settle", chooseAll);
document.addEventListener("change", (event) => {
  if (event.target.id === "all") boxes().forEach((box) => (box.checked = event.target.checked));
});
document.addEventListener("htmx:before:request", (event) => {
  if (event.target.id !== "rows") return;
  const busy = document.hidden || !live.checked || event.target.querySelector(":checked, :focus");
  if (busy) event.preventDefault();
});
