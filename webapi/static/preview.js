// Shows the mail again, a moment after somebody stopped writing it. Without this file the button does it.
const editor = document.getElementById("editor");
const look = document.getElementById("look");
let waiting;
const show = () => editor.requestSubmit(look);
editor.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 400);
});
show();
