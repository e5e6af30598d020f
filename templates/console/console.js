// What a browser can do better than the server: write instants and amounts as the viewer is used to, and hold the
// notification window in front. Every page works without it.
"use strict";

const zone = document.documentElement.dataset.zone;

function instants() {
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: zone };
  let manner;
  try {
    manner = new Intl.DateTimeFormat(navigator.languages, options);
  } catch {
    return;
  }
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (time.dateTime.includes("T") && !Number.isNaN(at.valueOf())) time.textContent = manner.format(at);
  }
}

function amounts() {
  const manner = new Intl.NumberFormat(navigator.languages, { maximumFractionDigits: 20 });
  for (const amount of document.querySelectorAll("data[value]")) {
    // A number that a float cannot hold stays as it was written.
    if (amount.value.replace(/[-.]/g, "").length <= 15) amount.textContent = manner.format(Number(amount.value));
  }
}

function notification() {
  const dialog = document.getElementById("notification");
  if (!dialog || !dialog.showModal) return;
  dialog.close();
  dialog.showModal();
}

// A chosen file fills the text beside it; without a script the text is pasted.
function files() {
  for (const chooser of document.querySelectorAll("input[type=file][data-into]")) {
    chooser.parentElement.hidden = false;
    chooser.addEventListener("change", async () => {
      const [file] = chooser.files;
      if (!file) return;
      document.getElementById(chooser.dataset.into).value = await file.text();
      document.getElementById(chooser.dataset.name).value = file.name;
    });
  }
}

instants();
amounts();
files();
notification();
