// The list asks for itself again while something in it goes on: not while nobody looks, not while somebody chooses.
const live = document.getElementById("live");
live.closest("label").hidden = false;
live.checked = localStorage.getItem("live") !== "off";
live.addEventListener("change", () => localStorage.setItem("live", live.checked ? "on" : "off"));

const all = document.getElementById("all");
if (all) {
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    document.querySelectorAll("#rows [name=id]").forEach((box) => (box.checked = all.checked));
  });
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.target.id !== "rows") return;
  const busy = document.hidden || !live.checked || event.target.querySelector(":checked, :focus");
  if (busy) event.preventDefault();
});
