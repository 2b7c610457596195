"use strict";
// Comforts only: without this, titles show what a message says, and everything else is there.
const tip = document.getElementById("tip");
let shown = null;
document.addEventListener("mouseover", (event) => {
  const group = event.target.closest(".sheet svg g");
  if (group === shown) return;
  shown = group;
  const title = group && group.querySelector("title");
  if (title) {
    group.dataset.text = title.textContent;
    title.remove();
  }
  tip.hidden = !group || !group.dataset.text;
  if (!tip.hidden) tip.textContent = group.dataset.text;
});
document.addEventListener("mousemove", (event) => {
  if (tip.hidden) return;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 18;
  const top = below + tip.offsetHeight < innerHeight ? below : event.clientY - tip.offsetHeight - 12;
  tip.style.left = left + "px";
  tip.style.top = top + "px";
});
const copy = document.getElementById("copy");
if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("command").textContent);
    copy.textContent = "copied";
  });
}
