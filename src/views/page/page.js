// What the page can do beyond being read: a wider or narrower scale, and the order step by step.
(() => {
  const bar = document.createElement("div");
  bar.className = "bar";
  const make = (tag, text) => bar.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
  const back = make("button", "◂ before");
  const next = make("button", "after ▸");
  const told = make("output", "Choose an operation; ◂ and ▸ follow the order found.");
  const label = make("label", "scale");
  const scale = Object.assign(document.createElement("input"), { type: "range", min: 3, max: 64, step: 1 });
  label.appendChild(scale);
  document.body.appendChild(bar);

  const charts = [...document.querySelectorAll(".chart")];
  const unit = (chart) => parseInt(chart.style.getPropertyValue("--unit"), 10);
  const main = document.querySelector("details[open] .chart") || charts[0];
  if (main) scale.value = unit(main);
  const marked = main && main.querySelector(".bad");
  if (marked) marked.closest(".scroll").scrollLeft = marked.offsetLeft - 200;
  scale.addEventListener("input", () => {
    for (const chart of charts) {
      if (chart.closest(".why")) continue;
      chart.style.setProperty("--unit", scale.value + "px");
      chart.classList.toggle("tight", scale.value < 20);
    }
    if (chosen) show(chosen);
  });

  let chosen = null;
  const show = (operation) => operation.scrollIntoView({ block: "nearest", inline: "center" });
  const choose = (operation) => {
    if (!operation) return;
    if (chosen) chosen.classList.remove("on");
    chosen = operation;
    chosen.classList.add("on");
    told.textContent = chosen.title.replaceAll("\n", " · ");
    show(chosen);
  };
  const step = (by) => {
    const chart = chosen ? chosen.closest(".chart") : main;
    if (!chart) return;
    const place = chosen && chosen.dataset.o ? Number(chosen.dataset.o) + by : 1;
    choose(chart.querySelector(`[data-o="${place}"]`));
  };
  back.addEventListener("click", () => step(-1));
  next.addEventListener("click", () => step(1));
  document.addEventListener("click", (event) => choose(event.target.closest(".lane i")));
  document.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT") return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      step(event.key === "ArrowLeft" ? -1 : 1);
    }
  });

  // A key chosen above is opened.
  const open = () => {
    const section = document.getElementById(location.hash.slice(1));
    if (section && section.tagName === "DETAILS") section.open = true;
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((section) => (section.open = true)));
})();
